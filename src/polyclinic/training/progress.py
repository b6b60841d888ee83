"""How long work tells that it moves on. Quiet unless somebody listens."""

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
