"""Every page of docs/ is true: what it shows is run, in an empty folder, from its first block to its last.

- ``python`` blocks of one page share their names;
- in ``console`` blocks lines that begin with ``$`` are run, and every other line must be said by the command before it;
- ``toml`` and ``csv`` blocks whose first line is ``# name`` are written to the file of that name.

Blocks of any other language are only read.
"""

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from polyclinic import terminal
from polyclinic.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REFUSALS = ("error: ", "refused: ")


@dataclass(frozen=True)
class Block:
    """One block of a page, and the line where it begins."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(m[1], m[2], text.count("\n", 0, m.start()) + 1) for m in _BLOCK.finditer(text)]


def requests(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with the lines it must say."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *said = part.replace("\\\n", " ").strip().split("\n")
        yield command, [line for line in said if line.strip()]


def one_line(text: str) -> str:
    return " ".join(text.split())


def answer(command: str) -> tuple[int, str]:
    """Exit status and everything that a command says."""
    program, *words = shlex.split(command)
    assert program == "polyclinic", f"only polyclinic can be run here, not {program}"
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), pytest.raises(SystemExit) as leaving:
        main(words)
    return int(leaving.value.code or 0), said.getvalue()


def follow(block: Block, names: dict[str, Any]) -> None:
    if block.language == "python":
        exec(compile(block.text, f"line {block.line}", "exec"), names)
    if block.language in ("toml", "csv") and (name := re.match(r"# ([\w./-]+\.\w+)\n", block.text)):
        path = Path(name[1])
        assert not path.is_absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text[name.end() :] if block.language == "csv" else block.text, encoding="utf-8")
    if block.language == "console":
        for command, expected in requests(block.text):
            status, said = answer(command)
            assert status == (2 if any(line.startswith(_REFUSALS) for line in expected) else 0), said
            for line in expected:
                assert one_line(line) in one_line(said), said


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT / "docs")) for page in PAGES])
def test_what_the_page_shows_is_true(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(terminal.out, "_width", 120)
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(page):
        try:
            follow(block, names)
        except Exception as error:
            error.add_note(f"{page.relative_to(ROOT)}, the block at line {block.line}")
            raise


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT / "docs")) for page in PAGES])
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / os.path.normpath(target)).exists(), target
