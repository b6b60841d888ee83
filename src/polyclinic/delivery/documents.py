"""The JSON documents of a bundle as records: what stands in `evidence.json`, read at the door.

Unknown keys are left alone, absent ones are None or empty: a report is made from whatever was measured.
"""

from pydantic import BaseModel, ConfigDict, Field

Numbers = tuple[float | None, ...]


class Document(BaseModel):
    """A part of a JSON document; None = not known or not defined."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Estimate(Document):
    """A measured value and its interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: float | None = None


Estimates = dict[str, Estimate]
"""By metric name."""


class Counts(Document):
    """How many rows and patients were tested, and with which outcome."""

    rows: int | None = None
    patients: int | None = None
    folds: int | None = None
    repeats: int | None = None
    positives: float | None = None
    events: float | None = None
    per_class: dict[str, float] = Field(default_factory=dict)


class OperatingPoint(Document):
    """The threshold that turns a probability into yes or no."""

    rule: str = ""
    thresholds: Numbers = ()
    label_thresholds: dict[str, Numbers] = Field(default_factory=dict)


class CalibrationPoint(Document):
    """A group of samples with similar predictions."""

    predicted: float | None = None
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    n: float | None = None


class Calibration(Document):
    """Whether 30% means 30%, before and after the correction learned on tune rows."""

    before: Estimates = Field(default_factory=dict)
    after: Estimates = Field(default_factory=dict)
    curve: tuple[CalibrationPoint, ...] = ()
    curve_before: tuple[CalibrationPoint, ...] = ()
    horizon: float | None = None


class Curve(Document):
    """A line with a band."""

    x: Numbers = ()
    y: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()


class Survivors(Document):
    """Kaplan-Meier estimate of one group."""

    group: str = ""
    times: Numbers = ()
    survival: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()
    at_risk: Numbers = ()


class OverTime(Document):
    """A metric at several times."""

    times: Numbers = ()
    value: Numbers = ()
    low: Numbers = ()
    high: Numbers = ()


class LogRank(Document):
    """Whether the groups differ in survival."""

    chi_squared: float | None = None
    p_value: float | None = None


class Curves(Document):
    """Lines that evidence already drew up."""

    roc: Curve | None = None
    precision_recall: Curve | None = None
    roc_per_class: dict[str, Curve] = Field(default_factory=dict)
    precision_recall_per_class: dict[str, Curve] = Field(default_factory=dict)
    froc: Curve | None = None
    kaplan_meier: tuple[Survivors, ...] = ()
    log_rank: LogRank | None = None
    auc_over_time: OverTime | None = None
    brier_over_time: OverTime | None = None


class Subgroup(Document):
    """The same metrics for some of the patients."""

    column: str
    value: str
    n: float | None = None
    metrics: Estimates = Field(default_factory=dict)


class Baseline(Document):
    """A plain model on the same rows; ``difference`` is ours minus the plain model's, ``curve`` its line."""

    name: str = ""
    metrics: Estimates = Field(default_factory=dict)
    difference: Estimates = Field(default_factory=dict)
    curve: Curve | None = None


class Mistake(Document):
    """A test sample on which the answer was far from the truth."""

    row: int
    truth: str | float | None = None
    answer: str | float | None = None
    loss: float | None = None
    event: float | None = None


class Cases(Document):
    """Three test samples to look at, by how far the answer was from the truth."""

    best: Mistake
    median: Mistake
    worst: Mistake


class TargetEvidence(Document):
    """Everything measured about one target."""

    form: str
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    unit: str = ""
    counts: Counts = Counts()
    headline: tuple[str, ...] = ()
    metrics: Estimates = Field(default_factory=dict)
    per_class: dict[str, Estimates] = Field(default_factory=dict)
    operating_point: OperatingPoint | None = None
    calibration: Calibration | None = None
    curves: Curves = Curves()
    confusion: tuple[tuple[float, ...], ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_note: str = ""
    baselines: dict[str, Baseline] = Field(default_factory=dict)
    baseline: Baseline | None = None
    verdict: str = ""
    worst: tuple[Mistake, ...] = ()
    cases: Cases | None = None
    degenerate: dict[str, int] = Field(default_factory=dict)

    def curve(self, name: str) -> Curve | None:
        """The curve of that name, if the form has one."""
        found = getattr(self.curves, name, None)
        return found if isinstance(found, Curve) else None

    def curves_of(self, name: str) -> dict[str, Curve]:
        """Curves of that name by class or label; none where the form has none."""
        found = getattr(self.curves, name, None)
        return found if isinstance(found, dict) else {}


class EvidenceDocument(Document):
    """`evidence.json`."""

    format: int = 1
    confidence: float = 0.95
    resamples: int = 0
    targets: dict[str, TargetEvidence] = Field(default_factory=dict)
