"""Texts and spans from files with one token and its tag per line, sentences apart by an empty line (CoNLL, "IOB")."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

Sentence = list[tuple[str, str]]


def sentences(path: Path) -> list[Sentence]:
    """Tokens with their tags; B-x or B_x begins a span."""
    blocks = read_text(path).replace("\r", "").strip("\n").split("\n\n")
    lines = [[line.replace("\t", " ") for line in block.split("\n") if line.strip()] for block in blocks]
    return [[_token(line) for line in block] for block in lines]


def read_text(path: Path) -> str:
    """The text of a file, packed or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _token(line: str) -> tuple[str, str]:
    token, tag = line.rsplit(" ", 1)
    return token, tag


def rows(stream: list[Sentence], together: int, between: str = " ") -> list[tuple[str, str]]:
    """Texts of ``together`` sentences that follow one another, each with its spans as JSON."""
    return [_row(stream[k : k + together], between) for k in range(0, len(stream), together)]


def table(parts: dict[str, list[tuple[str, str]]], path: Path) -> Path:
    """Rows of each part as a parquet file with columns text, spans and part."""
    columns = [(text, spans, part) for part, found in parts.items() for text, spans in found]
    pl.DataFrame(columns, schema=["text", "spans", "part"], orient="row").write_parquet(path)
    return path


def made_up(count: int, label: str, words: Sequence[str], seed: int) -> list[Sentence]:
    """Sentences of the given words around one of four names of the label; another seed has two other names."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        before, after = ([(word, "O") for word in rng.choice(words, 3)] for _ in range(2))
        name = f"{label.lower()}{2 * seed + rng.integers(4)}"
        made.append([*before, (name, f"B-{label}"), *after])
    return made


def write(path: Path, stream: list[Sentence], between: str) -> None:
    """A file of sentences, as ``sentences`` reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = ("\n".join(f"{token}{between}{tag}" for token, tag in sentence) for sentence in stream)
    content = "\n\n".join(blocks).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@dataclass
class _Span:
    """A span that may still grow."""

    start: int
    end: int
    label: str
    open: bool = True


def _row(stream: list[Sentence], between: str) -> tuple[str, str]:
    text = ""
    spans: list[_Span] = []
    for sentence in stream:
        for token, tag in sentence:
            start = len(text)
            text += token
            _read_tag(tag, start, len(text), spans)
            text += between
        text = text.rstrip(" ") + "\n"
        if spans:
            spans[-1].open = False
    found = [{"start": span.start, "end": span.end, "label": span.label} for span in spans]
    return text.rstrip("\n"), json.dumps(found)


def _read_tag(tag: str, start: int, end: int, spans: list[_Span]) -> None:
    kind, label = tag[0], tag[2:]
    if kind == "I" and spans and spans[-1].label == label and spans[-1].open:
        spans[-1].end = end
    elif kind in "BI":
        spans.append(_Span(start, end, label))
    if kind == "O" and spans:
        spans[-1].open = False
