"""What stands in `cohort.json`, read at the door: who was left out and why, what was found, who the patients are."""

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A part of a JSON document; unknown keys are left alone, absent ones are empty."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class FlowStep(Document):
    """A station of the flow chart: what happened there, and who was left afterwards."""

    step: str = ""
    rows: float | None = None
    patients: float | None = None
    left_out: float | None = None


class Found(Document):
    """A finding, as it stands in the document. ``severity`` "note" with "Accepted" is an accepted refusal."""

    name: str = ""
    place: str = ""
    rule: str = ""
    found: str = ""
    remedy: str = ""
    severity: str = "note"
    rows: tuple[int, ...] = ()


class TableRow(Document):
    """A line of table one: a variable, or one level of it."""

    name: str = ""
    level: str = ""
    cells: tuple[str, ...] = ()


class TableOne(Document):
    """Who the patients are, in all and by part or outcome."""

    groups: tuple[str, ...] = ()
    rows: tuple[TableRow, ...] = ()
    columns_left_out: int = 0


class CohortDocument(Document):
    """`cohort.json`."""

    name: str = ""
    flow: tuple[FlowStep, ...] = ()
    findings: tuple[Found, ...] = ()
    table_one: TableOne | None = None
    fingerprints: dict[str, str] = Field(default_factory=dict)
