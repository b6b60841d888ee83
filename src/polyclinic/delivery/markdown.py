"""Markdown that keeps what a user wrote as text: no links, no markup, no broken tables."""

import re
from collections.abc import Iterator, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~])")


def plain(words: str) -> str:
    """Text on one line, with everything escaped that Markdown or HTML would take for markup."""
    line = " ".join(words.split())
    html_safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", html_safe)


def code(words: str) -> str:
    """Text as code; back-ticks and line breaks of the user cannot end it early."""
    line = " ".join(words.split()).replace("`", "'")
    return f"`{line}`" if line else ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, escaped: bool = False) -> Iterator[str]:
    """A table, and an empty line after it. ``escaped`` says that cells hold Markdown of ours."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row if escaped else [plain(cell) for cell in row])
    yield ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
