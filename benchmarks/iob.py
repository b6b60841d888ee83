"""Texts and spans from files with one token and its tag per line, sentences apart by an empty line (CoNLL, "IOB")."""

import gzip
import json
from pathlib import Path

import polars as pl

Sentence = list[tuple[str, str]]


def sentences(path: Path) -> list[Sentence]:
    """Tokens with their tags; B-x or B_x begins a span."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        blocks = file.read().replace("\r", "").strip("\n").split("\n\n")
    lines = [[line.replace("\t", " ") for line in block.split("\n") if line.strip()] for block in blocks]
    return [[tuple(line.rsplit(" ", 1)) for line in block] for block in lines]


def rows(stream: list[Sentence], together: int, between: str = " ") -> list[tuple[str, str]]:
    """Texts of ``together`` sentences that follow one another, each with its spans as JSON."""
    return [_row(stream[k : k + together], between) for k in range(0, len(stream), together)]


def table(parts: dict[str, list[tuple[str, str]]], path: Path) -> Path:
    """Rows of each part as a parquet file with columns text, spans and part."""
    columns = [(text, spans, part) for part, found in parts.items() for text, spans in found]
    pl.DataFrame(columns, schema=["text", "spans", "part"], orient="row").write_parquet(path)
    return path


def _row(stream: list[Sentence], between: str) -> tuple[str, str]:
    text, spans = "", []
    for sentence in stream:
        for token, tag in sentence:
            start = len(text)
            text += token
            kind, label = tag[0], tag[2:]
            if kind == "I" and spans and spans[-1]["label"] == label and spans[-1]["open"]:
                spans[-1]["end"] = len(text)
            elif kind in "BI":
                spans.append({"start": start, "end": len(text), "label": label, "open": True})
            if kind == "O" and spans:
                spans[-1]["open"] = False
            text += between
        text = text.rstrip(" ") + "\n"
        if spans:
            spans[-1]["open"] = False
    return text.rstrip("\n"), json.dumps([{k: v for k, v in s.items() if k != "open"} for s in spans])
