"""How the learning rate rises and falls over a fit."""

from math import cos, pi
from typing import final

_WARM_UP = 0.25
_FIRST = 1 / 25
_LAST = 1e-4


def one_cycle(done: float, highest: float) -> float:
    """Learning rate after a share of the fit: up along half a cosine for a quarter of it, then down to nearly nothing.

    Source: the one-cycle policy of Smith & Topin, arXiv:1708.07120, with cosine flanks.

    Args:
        done: How much of the planned fit is over, from 0 to 1.
        highest: The rate at the top.
    """
    if done < _WARM_UP:
        return _between(_FIRST * highest, highest, done / _WARM_UP)
    return _between(highest, _LAST * highest, (done - _WARM_UP) / (1 - _WARM_UP))


@final
class Cycle:
    """How much of its one cycle a fit has passed, while the length of the fit is planned anew as its pace is known.

    What is passed stays passed; what is left of the cycle is spread over what is left of the fit, so that it ends low.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self._since = 0
        self._before = 0.0

    def stretch(self, done: int, epochs: int) -> None:
        """From epoch ``done`` on the fit is ``epochs`` long, counted from its start."""
        if epochs != self.epochs:
            self._before = self.passed(done)
            self._since, self.epochs = done, epochs

    def passed(self, done: float) -> float:
        """Share of the cycle that lies behind after ``done`` epochs."""
        return self._before + (1 - self._before) * ((done - self._since) / (self.epochs - self._since))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * min(1.0, share))) / 2
