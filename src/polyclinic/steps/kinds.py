"""The kinds that a study asks for, before anything is read: its inputs and its questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from polyclinic.delivery.metric_names import METRICS
from polyclinic.errors import Finding, StudyError, stop_on
from polyclinic.evidence.forms.base import added_metrics
from polyclinic.formats.columns.reading import ColumnUses
from polyclinic.heads.base import Dense, Head
from polyclinic.inputs.base import Input, located
from polyclinic.study import catalogue
from polyclinic.study.schema import SplitSection, Study


@dataclass(frozen=True)
class StudyKinds:
    """What a study asks for, by the user's names.

    Attributes:
        inputs: Kinds of record.
        heads: Kinds of question.
    """

    inputs: Mapping[str, Input]
    heads: Mapping[str, Head]

    def column_uses(self, split: SplitSection) -> ColumnUses:
        """What columns are needed for, as far as the study says how their cells are to be read."""
        group = split.by.removeprefix("group:") if split.by.startswith("group:") else None
        words = {column for kind in self.inputs.values() for column in kind.words()}
        words |= {column for head in self.heads.values() for column in head.words()}
        return ColumnUses(
            words=frozenset(words | {name for name in (*split.given_columns, group) if name is not None}),
            texts=frozenset(column for kind in self.inputs.values() for column in kind.texts()),
            numbers=frozenset(column for kind in self.inputs.values() for column in kind.numbers()),
        )


def kinds_of(study: Study) -> StudyKinds:
    """The kinds of a study, the inputs on which a dense question is asked made ready for it.

    Raises:
        StudyError: if an installed package lacks a part of a kind, or a question is asked on what is not there.
    """
    heads = {name: catalogue.find("heads", s.kind)(name, s.options) for name, s in study.targets.items()}
    inputs = {name: catalogue.find("inputs", s.kind)(name, s.options) for name, s in study.inputs.items()}
    stop_on(_form_findings(heads), StudyError)
    added_metrics()
    stop_on(_margin_findings(study, heads), StudyError)
    return StudyKinds(_faced(inputs, heads), heads)


def _form_findings(heads: Mapping[str, Head]) -> Iterator[Finding]:
    """What is lacking to store, judge and deliver the answers: nobody should train first to hear of it."""
    parts: tuple[catalogue.Axis, ...] = ("answers", "evidence.forms", "delivery.forms")
    for name, head in heads.items():
        for axis in parts:
            if head.form in catalogue.names(axis):
                catalogue.find(axis, head.form)
                continue
            growth = catalogue.AXES[axis]
            rule = f'the form "{head.form}" of its answers must be a {growth.word}'
            found = f"no installed package offers it in the entry point group {growth.group}"
            yield Finding(
                "missing_form", f"[targets.{name}]", rule, found, "Update or complete the package of its kind."
            )


def _margin_findings(study: Study, heads: Mapping[str, Head]) -> Iterator[Finding]:
    """A margin that allows everything is none: shares differ by less than 1."""
    margin = study.evidence.margin
    if margin is None or margin < 1:
        return
    for name, head in heads.items():
        first = METRICS.get(catalogue.find("evidence.forms", head.form).headline[0])
        if first is not None and first.scale == "share":
            rule = f"must be below 1, because [targets.{name}] is judged by a share ({first.english})"
            remedy = "Write the loss that would not matter, such as 0.01."
            yield Finding("wide_margin", "study.toml [evidence] margin", rule, f"it is {margin:g}", remedy)


def _faced(inputs: Mapping[str, Input], heads: Mapping[str, Head]) -> dict[str, Input]:
    """The inputs, those told so on which a dense question is asked.

    Raises:
        StudyError: if there is no such input, or no such question can be asked on it.
    """
    dense = [head for head in heads.values() if isinstance(head, Dense)]
    findings = [finding for head in dense for finding in _ground_findings(head, inputs)]
    stop_on([*findings, *(finding for head in dense for finding in _finder_findings(head, heads))], StudyError)
    grounds = {head.ground for head in dense}
    return {name: located(kind).facing() if name in grounds else kind for name, kind in inputs.items()}


def _ground_findings(head: Dense, inputs: Mapping[str, Input]) -> list[Finding]:
    place = f"[targets.{head.name}] on"
    on = head.ground
    if on not in inputs:
        return [catalogue.unknown(place, "input", on, tuple(inputs))]
    if inputs[on].ground in head.grounds:
        return []
    wanted = " or ".join(f"{one}s" for one in head.grounds)
    rule, remedy = f"must name an input that holds {wanted}", "Name another input, or ask another kind of question."
    return [Finding("wrong_ground", place, rule, "it names one of another kind", remedy)]


def _finder_findings(head: Dense, heads: Mapping[str, Head]) -> list[Finding]:
    """A question about what another one finds needs that other one, on the same input."""
    if head.finder is None:
        return []
    other = heads.get(head.finder)
    if other is not None and other.ground == head.ground and type(other) is not type(head):
        return []
    rule, remedy = "must lean on a target that finds spans in the same text", 'Name a target of kind "tag".'
    return [Finding("wrong_finder", f"[targets.{head.name}]", rule, "there is none of that name", remedy)]
