"""By which names the columns of another program's table are known, and which column is what."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from polyclinic.cohort.field_words import consists_of, is_called, mentions, tokens
from polyclinic.errors import Finding, Severity
from polyclinic.formats.columns.column_types import absent_column, shorten


class Role(StrEnum):
    """What a column is for; the word is its usual name."""

    TRUTH = "truth"
    CHANCE = "probability"
    SCORE = "score"
    PREDICTED = "prediction"
    VALUE = "value"
    EVENT = "event"
    TIME = "time"
    RISK = "risk"
    PATIENT = "patient"
    ROW = "row"
    PART = "part"
    REPEAT = "repeat"
    FOLD = "fold"
    SITE = "site"
    MODEL = "model"
    QUESTION = "target"


# Names that public programs and papers use: scikit-learn (y_true, y_score, y_pred), R (pred, obs), lifelines and
# scikit-survival (duration, event_observed, partial_hazard), and the usual words of the field.
_NAMES: Mapping[Role, str] = {
    Role.TRUTH: "truth, y_true, ytrue, true_label, true_class, y_test, y_actual, ground_truth, groundtruth, gold, "
    "gold_standard, reference, reference_standard, label, labels, true, actual, observed, obs, outcome, target, class, "
    "y",
    Role.CHANCE: "probability, prob, proba, probs, y_prob, y_proba, y_pred_prob, y_pred_proba, pred_prob, pred_proba, "
    "predicted_probability, predicted_prob, predict_proba, prediction_probability, p_hat, phat, chance",
    Role.SCORE: "score, scores, y_score, y_scores, decision_function, logit, logits, output",
    Role.PREDICTED: "prediction, predictions, predicted, pred, preds, y_pred, ypred, y_predicted, y_hat, yhat, "
    "estimate",
    Role.VALUE: "value",
    Role.EVENT: "event, event_observed, observed_event, event_indicator, y_event, os_event, death_event, status, delta",
    Role.TIME: "time, time_to_event, event_time, survival_time, follow_up, followup, follow_up_time, follow_up_days, "
    "duration, durations, os_time, os_months, time_days, time_months, time_years, y_time",
    Role.RISK: "risk, risks, risk_score, risk_scores, hazard, log_hazard, partial_hazard, log_partial_hazard, "
    "linear_predictor, lp",
    Role.PATIENT: "patient, patient_id, id",
    Role.ROW: "row",
    Role.PART: "part, split, partition, subset",
    Role.REPEAT: "repeat",
    Role.FOLD: "fold, cv_fold",
    Role.SITE: "site, hospital, center, centre",
    Role.MODEL: "model",
}
_CLASS = re.compile(
    r"^(?:(?:y_|pred_|predicted_|predict_)?(?:probability|proba|prob)|y_score|score)[_ .:-](?P<name>.+)$", re.IGNORECASE
)
_STRATA = "strata_"


@dataclass(frozen=True)
class Said:
    """What the user says about another program's table.

    Attributes:
        truth: Column with what happened.
        answer: Column with what the program answered.
        patient: Column that names the patient.
        positive: The class whose chance or score is given.
        name: Of the program.
    """

    truth: str | None = None
    answer: str | None = None
    patient: str | None = None
    positive: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class ColumnRoles:
    """Which column is what.

    Attributes:
        of: The column by its role, where there is one.
        classes: By the name of a class, the column with its chance.
        strata: By the name of a subgroup, its column.
        answer: The column that the user names as the answer.
        findings: Columns that may be the same, or are not there.
    """

    of: Mapping[Role, str]
    classes: Mapping[str, str] = field(default_factory=dict)
    strata: Mapping[str, str] = field(default_factory=dict)
    answer: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def used(self) -> tuple[str, ...]:
        """All columns that are known."""
        named = (*self.of.values(), *self.classes.values(), *self.strata.values())
        return named if self.answer is None else (*named, self.answer)

    def answers(self) -> Iterator[str]:
        """The columns that hold numbers whatever they look like."""
        yield from self.classes.values()
        for role in (Role.CHANCE, Role.SCORE, Role.VALUE, Role.TIME, Role.RISK, Role.ROW, Role.REPEAT, Role.FOLD):
            if role in self.of:
                yield self.of[role]

    def words(self) -> Iterator[str]:
        """The columns whose very text counts."""
        yield from self.strata.values()
        for role in (Role.TRUTH, Role.EVENT, Role.PATIENT, Role.PART, Role.SITE, Role.MODEL, Role.QUESTION):
            if role in self.of:
                yield self.of[role]


def find_roles(columns: Sequence[str], said: Said, table: str) -> ColumnRoles:
    """Which column of a table is what, by what the user says and by the names."""
    stated = {Role.TRUTH: said.truth, Role.PATIENT: said.patient}
    named = {option: name for option, name in _options(said) if name is not None}
    findings = [
        absent_column(f"{table} --{option}", name, columns) for option, name in named.items() if name not in columns
    ]
    strata = {name.removeprefix(_STRATA): name for name in columns if name.startswith(_STRATA)}
    free = [name for name in columns if name not in {*named.values(), *strata.values()}]
    of: dict[Role, str] = {role: name for role, name in stated.items() if name is not None and name in columns}
    for role in Role:
        found = [] if role in of or role is Role.QUESTION else _called(free, role)
        if len(found) > 1:
            findings.append(_several(table, role, found))
        if found:
            of[role] = found[0]
    if Role.EVENT in of and Role.TIME not in of and Role.TRUTH not in of:
        of[Role.TRUTH] = of.pop(Role.EVENT)  # whether it happened, not when
    of |= _question(free, of)
    classes = {match["name"]: name for name in free if name not in of.values() and (match := _CLASS.match(name))}
    return ColumnRoles(of, {} if said.answer else classes, strata, said.answer, tuple(findings))


def _options(said: Said) -> Iterator[tuple[str, str | None]]:
    yield from (("truth", said.truth), ("answer", said.answer), ("patient", said.patient))


def _called(columns: Sequence[str], role: Role) -> list[str]:
    """The columns that a role may be; the one of its usual name alone where there is one."""
    if role in columns:
        return [role.value]
    names = _NAMES[role].split(", ")
    found = [name for name in columns if "_".join(tokens(name)) in names or name.lower() in names]
    if role is Role.TRUTH and len(found) > 1:  # beside a truth, "target" says of which question it is
        found = [name for name in found if name.lower() != Role.QUESTION]
    return found or ([name for name in columns if _is_patient(name)] if role is Role.PATIENT else [])


def _is_patient(name: str) -> bool:
    return is_called(name, "patient", "person_alone") or (
        consists_of(name, "person", "number") and mentions(name, "person")
    )


def _question(columns: Sequence[str], of: Mapping[Role, str]) -> dict[Role, str]:
    """The column that names the question, where what happened stands elsewhere."""
    if Role.QUESTION not in columns or of.get(Role.TRUTH) == Role.QUESTION:
        return {}
    return {Role.QUESTION: Role.QUESTION.value}


def _several(table: str, role: Role, found: Sequence[str]) -> Finding:
    option = f"name the column with --{role}" if role in (Role.TRUTH, Role.PATIENT) else "rename the others"
    return Finding(
        name="several_columns",
        place=table,
        rule=f"one column must be the {role}",
        found=f"it may be any of {shorten(found)}",
        remedy=f'Call it "{role}", or {option}.',
    )


def no_answer(table: str, columns: Sequence[str]) -> Finding:
    """The finding that no columns with truth and answer are known: which are there, and which would be known."""
    names = {
        role: _NAMES[role] for role in (Role.TRUTH, Role.CHANCE, Role.SCORE, Role.PREDICTED, Role.EVENT, Role.TIME)
    }
    known = "; ".join(f"{role}: {', '.join(listed.split(', ')[:8])}" for role, listed in names.items())
    return Finding(
        name="missing_columns",
        place=table,
        rule="must have truth with probability, probability_<class>, score, prediction or value, or else event, "
        "time and risk",
        found=f"these are missing or empty; there is {shorten(columns)}",
        remedy=f"Name them with --truth and --answer, or rename them. Known names are, among others, {known}.",
    )


def unused(table: str, columns: Sequence[str], roles: ColumnRoles) -> list[Finding]:
    """The note on columns that are left alone."""
    left = [name for name in columns if name not in roles.used]
    if not left:
        return []
    rule, found = "every column should have a known name", f"not used: {shorten(left)}"
    remedy = "Nothing needs to be done if they are no truth, answer or patient."
    return [Finding("unused_columns", table, rule, found, remedy, Severity.NOTE)]
