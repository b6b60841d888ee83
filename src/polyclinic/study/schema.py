"""The study file, section by section. The docstring under each key is the help that an editor shows."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticKnownError

from polyclinic.study.options import InputOptions, Section, TargetOptions
from polyclinic.study.threshold import YOUDEN, ThresholdRule, WrittenRule, read_rule
from polyclinic.translations.language import languages


class Size(StrEnum):
    """The one dial: how large a model to build."""

    TINY = "tiny"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


def _known_language(name: str) -> str:
    if name not in languages():
        raise PydanticKnownError("literal_error", {"expected": " or ".join(f"'{one}'" for one in languages())})
    return name


class About(Section):
    """[study]: what the study is called and what it is for."""

    name: str = Field(default="study", pattern=r"^[\w.-]+$")
    """Name of the folder that the run leaves, under runs/."""
    title: str = ""
    """The clinical question in one sentence; stands on top of the report."""
    intended_use: str = ""
    """Who uses the answer, for which patients, at which moment of care; stands on the card."""
    language: Annotated[str, AfterValidator(_known_language)] = "en"
    """Language of report and card: "en", or one that has a file of translations, such as "zh"."""
    seed: int = Field(default=1, ge=0)
    """The same study, data and seed give the same bytes."""


class ColumnSection(Section):
    """[cohort.columns.<column>]: how the cells of one column are written, where the column leaves doubt."""

    type: Literal["number", "text"] | None = None
    """What the cells are: "number", or "text", which keeps every cell as it stands."""
    decimal: Literal[".", ","] | None = None
    """The sign before the decimals."""
    thousands: str | None = None
    """The sign between thousands, such as "." or " "."""
    unit: str | None = None
    """The unit that stands in the cells, such as "mg/L"; "" = none. Another one is refused."""
    date_format: str | None = None
    """How dates are written, such as "%d/%m/%Y"."""


class CohortSection(Section):
    """[cohort]: the table of patients."""

    table: str | None = None
    """Path of the table, relative to the study file, or the address of a database. "#" and a word after it name a sheet
    of a workbook, a table of a database, or a file in a zip: "patients.xlsx#Baseline"."""
    query: str | None = None
    """The rows of a database, as a SELECT; instead of the name of a table after "#"."""
    source: str | None = Field(default=None, pattern=r"^builtin:\w+$")
    """A cohort that comes with an installed package, such as "builtin:breast_cytology"."""
    patient: str
    """Column that names the patient. "row" declares that every row is another patient."""
    patient_pattern: str | None = Field(default=None, min_length=1)
    """Where only a part of that column names the patient: a regular expression whose first group is the patient, as
    '^(S[0-9]+)_' is for S01_1 and S01_2."""
    site: str | None = None
    """Column that names the hospital or scanner."""
    date: str | None = None
    """Column with the moment of prediction; nothing later may be an input."""
    strata: tuple[str, ...] = ()
    """Columns whose subgroups are reported."""
    exclude: str | None = None
    """Rows to leave out, as a condition on columns such as "age < 18"; counted in the flow chart."""
    missing_values: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "?")
    """Cells that mean "not known"."""
    zero_missing: tuple[str, ...] = ()
    """Columns in which 0 means "not measured", such as a blood pressure of 0."""
    missing_codes: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    """Numbers that mean "not known" in a column, such as {age = [999, -9]}."""
    columns: dict[str, ColumnSection] = Field(default_factory=dict)
    """How the cells of single columns are written, by the column; a run writes here what it learned."""
    encoding: str = "utf-8"
    """Encoding of a text table: "utf-8", or "gb18030" for many Chinese hospital exports."""
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    """The sign between the cells of a text table, such as ";"; by default found from the rows."""
    header: int | None = Field(default=None, ge=1)
    """Line (of a workbook: row) with the names of the columns, the first is 1; by default the first that can be one."""
    decimal: Literal[".", ","] | None = None
    """The sign before the decimals of a number in cells of text; by default a point."""
    thousands: Literal[",", ".", " ", "'"] | None = None
    """The sign between thousands of a number in cells of text; by default none."""
    date_format: str | None = Field(default=None, pattern="%")
    """How dates in cells of text are written, such as "%d/%m/%Y" for 31/01/2020."""

    @model_validator(mode="after")
    def _one_origin(self) -> "CohortSection":
        if (self.table is None) == (self.source is None):
            raise ValueError("name exactly one origin: table or source")
        return self

    @model_validator(mode="after")
    def _two_signs(self) -> "CohortSection":
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise ValueError("decimal and thousands must be two signs")
        return self


_FoldColumn = Annotated[str, Field(pattern=r"^column:.+$")]


class SplitSection(Section):
    """[split]: which patients train, tune and test. Always by patient."""

    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of patients held out for the test."""
    tune: float = Field(default=0.15, gt=0, lt=1)
    """Share of the patients that are left, used for early stopping, threshold, calibration and search."""
    folds: (
        Annotated[int, Field(ge=2)] | _FoldColumn | Annotated[tuple[_FoldColumn, ...], Field(min_length=1)] | None
    ) = None
    """Cross-validation instead: every patient is tested once. A number, or published folds: "column:fold" names the
    column that says in which fold each row is tested; of ["column:fold1", "column:fold2"] each is one repetition."""
    repeat: int = Field(default=1, ge=1)
    """Cross-validation again with other folds, this many times."""
    column: str | None = None
    """A column that says train, tune or test."""
    by: str = Field(default="random", pattern=r"^(random|time|site|group:.+)$")
    """"random"; "time" (later patients are the test); "site" (whole sites held out); "group:<column>"."""

    @property
    def fold_columns(self) -> tuple[str, ...]:
        """Columns that give the folds, one for each repetition; none where folds are drawn or there are none."""
        named = (self.folds,) if isinstance(self.folds, str) else self.folds
        return tuple(name.removeprefix("column:") for name in named) if isinstance(named, tuple) else ()

    @property
    def drawn_folds(self) -> int | None:
        """How many folds are drawn; None where the table gives them or there are none."""
        return self.folds if isinstance(self.folds, int) else None

    @property
    def given_columns(self) -> tuple[str, ...]:
        """Columns of the table that say who trains and who is tested; none where that is drawn."""
        return self.fold_columns if self.column is None else (self.column,)


class ModelSection(Section):
    """[model]: how large, how many."""

    size: Size = Field(default=Size.SMALL, strict=False)
    """The one dial: tiny, small, medium or large."""
    ensemble: int = Field(default=1, ge=1)
    """Members, averaged. Each has another seed and, unless the split is given, another tune part."""
    dropout: float | None = Field(default=None, ge=0, lt=1)
    """Share of activations left out while training; by default each kind's own."""
    start_from: str | None = None
    """A bundle or a weights file to transfer from, seen from where the command is given."""


class TrainingSection(Section):
    """[training]: how the weights are found."""

    epochs: Literal["auto"] | Annotated[int, Field(ge=1)] | tuple[Annotated[int, Field(ge=1)], ...] = "auto"
    """A rule from rows and size with early stopping ("auto"), a number, or one number per fit in order."""
    stop_after: tuple[Annotated[int, Field(ge=1)], ...] | None = None
    """Epochs really done per fit, written by a run whose cap in minutes bit; repeats that run exactly."""
    replanned: tuple[tuple[Annotated[int, Field(ge=1)], ...], ...] | None = None
    """Length of the schedule at each epoch, per fit, written beside stop_after; empty where the cap did not bite."""
    minutes: float | None = Field(default=None, gt=0)
    """A cap on the training time of the whole study, all folds and members together."""
    batch: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Rows per step."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Rule that changes the weights."""
    learning_rate: Literal["auto"] | Annotated[float, Field(gt=0)] = "auto"
    """Highest step size of the one-cycle schedule."""
    l2: Literal["auto"] | Annotated[float, Field(ge=0)] = "auto"
    """Weight decay."""
    l1: float = Field(default=0.0, ge=0)
    """Pull of every weight towards zero."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5)
    """Share of the label given to the other classes while training."""
    mixup: float = Field(default=0.0, ge=0)
    """Strength of mixing pairs of patients while training (Beta parameter); refused where it is not safe."""
    ema: float = Field(default=0.99, ge=0, lt=1)
    """Decay of the running average of the weights; 0 turns it off."""
    cross_fit: Literal["auto", 0] | Annotated[int, Field(ge=2)] = "auto"
    """Parts of the patients that are not tested, each left out once: epochs, threshold and corrections are chosen on
    the answers for those left out, and one network learns from all. 0 = choose on the tune rows, which are kept from
    training. "auto": 5 where a fit takes seconds (tables to 5,000 rows, one member, no given tune rows), else 0."""
    patience: int = Field(default=16, ge=1)
    """Epochs without a better tune loss before stopping early."""
    imbalance: Literal["none", "weight", "oversample", "undersample"] = "none"
    """What to do about a rare class; probabilities are recalibrated afterwards."""
    calibration: Literal["auto", "none", "temperature", "isotonic"] = "auto"
    """How probabilities are corrected on tune rows."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the numbers are crunched."""
    processes: int = Field(default=1, ge=1)
    """Processes that share each batch, by torch.distributed."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """bf16 where the processor has it and it is faster, else fp32."""
    search: int = Field(default=0, ge=0)
    """Trials of hyper-parameter search on tune rows."""


class EvidenceSection(Section):
    """[evidence]: how the answers are judged."""

    resamples: int = Field(default=1000, ge=0)
    """Bootstrap samples of patients for every interval."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Coverage of every interval."""
    baselines: bool = True
    """Train plain models on the same rows and report them beside."""
    margin: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Non-inferiority margin: by how much the first figure of a question may be worse than a plain model's before it
    counts, in the unit of that figure (0.01 of AUROC, 5 of an error in mmHg). Set it before you see results. Unset, a
    report never says that the model is as good as a plain one."""
    threshold: WrittenRule | dict[str, WrittenRule] = "youden"
    """From which probability on the answer is yes: "youden" (highest sensitivity + specificity on tune rows), a number
    such as 0.3, "sensitivity:0.95" or "specificity:0.9" (at least that). One for all targets, or by target."""

    def rule_of(self, target: str) -> ThresholdRule:
        """How the threshold of this target is found."""
        if not isinstance(self.threshold, dict):
            return read_rule(self.threshold)
        return read_rule(self.threshold[target]) if target in self.threshold else YOUDEN


class DeliverySection(Section):
    """[delivery]: what else the run leaves."""

    formats: tuple[Literal["onnx", "litert", "executorch"], ...] = ()
    """Files for other runtimes."""


class InputSection(Section):
    """[inputs.<name>] once its kind is known: the kind and the options of that kind."""

    kind: str
    options: InputOptions


class TargetSection(Section):
    """[targets.<name>] once its kind is known: the kind and the options of that kind."""

    kind: str
    options: TargetOptions


class Study(Section):
    """A study file as read, with every default filled in. Options of a kind sit under ``inputs`` and ``targets``."""

    study: About = About()
    cohort: CohortSection
    accept: dict[str, str] = Field(default_factory=dict)
    """Refused findings that the user accepts, each with the reason; they stand on the card."""
    inputs: dict[str, InputSection] = Field(min_length=1)
    targets: dict[str, TargetSection] = Field(min_length=1)
    split: SplitSection = SplitSection()
    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()
    evidence: EvidenceSection = EvidenceSection()
    delivery: DeliverySection = DeliverySection()


SECTIONS: dict[str, type[Section]] = {
    name: field.annotation
    for name, field in Study.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section)
}

Plain = dict[str, Any]
