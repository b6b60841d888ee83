"""A metric as a record: its standard name, the function, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from polyclinic.evidence.weights import Figures, Weights


class Better(StrEnum):
    """Which way a metric is better."""

    HIGHER = "higher"
    LOWER = "lower"
    ONE = "nearer to one"
    ZERO = "nearer to zero"


@dataclass(frozen=True)
class Metric:
    """A figure by which answers are judged.

    Attributes:
        name: Standard name of the field, as it stands in ``evidence.json``.
        function: From a case (the arrays that one form of answer is judged by) and weights "resample sample", or
            None, to one figure, or one for each resample.
        better: Which way is better.
        about: One line that a clinician understands.
        pooled: True where the folds of a repetition are judged together. That suits figures on an absolute scale
            (counts of decisions, calibration), which small folds would bias. Ranks are compared within a fold
            only, because two models' scores need not share a scale.
            Source: Forman G, Scholz M. ACM SIGKDD Explorations 2010;12(1):49-57.
        raised: True where resampling by itself raises the figure (the noise of small bins, always counted as
            distance): its resamples are then moved so that their median is the figure.
        title: Its name in the report; "" = one that the report knows, or made from ``name``.
        scale: "share" lies between 0 and 1 (or -1 and 1); "unit" carries the unit of the target; "plain" any number.
        form: For a metric that an installed package adds to a form: how ``evidence.json`` calls the form.
    """

    name: str
    function: Callable[[Any, Weights | None], Figures]
    better: Better
    about: str
    pooled: bool = False
    raised: bool = False
    title: str = ""
    scale: Literal["share", "unit", "plain"] = "plain"
    form: str = ""
