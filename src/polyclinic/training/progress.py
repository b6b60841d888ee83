"""How long work tells that it moves on. Quiet unless somebody listens."""

from collections.abc import Callable
from typing import Protocol, final, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Somebody who wants to know how far the work is: the command line shows bars."""

    def start(self, task: str, total: int) -> None:
        """Work of ``total`` pieces begins."""

    def advance(self, note: str = "") -> None:
        """One more piece is done."""

    def finish(self) -> None:
        """The work that was started last is over."""


@final
class Quiet:
    """Nobody listens."""

    def start(self, task: str, total: int) -> None:
        """Say nothing."""

    def advance(self, note: str = "") -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


QUIET: Progress = Quiet()


@final
class Lines:
    """A line of text for every piece of work, given to a function such as ``print``: for notebooks and logs."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._work: list[tuple[str, int, int]] = []

    def start(self, task: str, total: int) -> None:
        """Work of ``total`` pieces begins."""
        self._work.append((task, 0, total))

    def advance(self, note: str = "") -> None:
        """One more piece of what was started last is done."""
        if self._work:
            task, done, total = self._work.pop()
            self._work.append((task, done + 1, total))
            self._write(f"{task}: {done + 1} of {total} {note}".rstrip())

    def finish(self) -> None:
        """The work that was started last is over."""
        if self._work:
            self._work.pop()


def listener(progress: Progress | Callable[[str], object]) -> Progress:
    """Whoever listens, as ``Progress``; a plain function is given lines of text."""
    return progress if isinstance(progress, Progress) else Lines(progress)
