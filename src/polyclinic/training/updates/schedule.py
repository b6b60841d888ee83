"""How the learning rate rises and falls over a fit."""

from math import cos, pi

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


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * min(1.0, share))) / 2
