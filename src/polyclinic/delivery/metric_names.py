"""What each metric is called and what it says: ours in the table beside this file, others as they say themselves."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from polyclinic.evidence.forms.base import described_metrics
from polyclinic.evidence.metric import Better


@dataclass(frozen=True)
class MetricName:
    """How to speak about one metric.

    Attributes:
        english: Name.
        meaning: What it says.
        better: Which way is better.
        scale: "share" lies between 0 and 1 (or -1 and 1); "unit" carries the unit of the target; "plain" any number.
    """

    english: str
    meaning: str
    better: Better = Better.HIGHER
    scale: Literal["share", "unit", "plain"] = "share"


def _ours() -> dict[str, MetricName]:
    entries = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        name: MetricName(**entry | {"better": Better(entry.get("better", "higher"))}) for name, entry in entries.items()
    }


METRICS: dict[str, MetricName] = {
    metric.name: MetricName(metric.title, metric.about, metric.better, metric.scale) for metric in described_metrics()
} | _ours()
"""By name: those that say themselves what they are called, as metrics of installed packages do, and ours."""
