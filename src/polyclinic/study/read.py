"""Reading a study file: text in, a frozen Study out, or every error of the file at once."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from polyclinic.errors import Finding, StudyError
from polyclinic.study import catalogue
from polyclinic.study.catalogue import Axis
from polyclinic.study.options import Section
from polyclinic.study.rules import broken_rules
from polyclinic.study.schema import SECTIONS, InputSection, Study, TargetSection

_AXES: dict[str, Axis] = {"inputs": "inputs", "targets": "heads"}
_NAME = r"letters, digits, - and _, beginning with a letter"

S = TypeVar("S", bound=Section)


class _Read(NamedTuple):
    """A part of the file: the sections that are right, and what is wrong."""

    sections: dict[str, Any]
    findings: list[Finding]


def read_study(path: Path) -> Study:
    """The study that ``path`` describes, every default filled in.

    Raises:
        StudyError: with all findings of the file, each with place, rule, finding and remedy.
    """
    return parse_study(_text(path), path.name)


def parse_study(text: str, place: str = "study.toml") -> Study:
    """The study that ``text`` describes; ``place`` is the file name for messages. Raises like ``read_study``."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            Finding("not_toml", place, "must be TOML", str(error), 'Text needs quotes, lists need [ ]: name = "x".')
        ) from None
    parts = [_unknown_sections(document, place), _fixed(document, place), *_kinds(document, place)]
    findings = [finding for part in parts for finding in part.findings]
    if findings:
        raise StudyError(findings)
    sections: dict[str, Any] = {}
    for part in parts:
        sections |= part.sections
    study = Study.model_construct(**sections)
    if broken := broken_rules(study, place):
        raise StudyError(broken)
    return study


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        remedy = "Check the path, or draft one: polyclinic new TABLE --target COLUMN."
        raise StudyError(Finding("no_study_file", str(path), "must be a study file", "no such file", remedy)) from None
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StudyError(
            Finding("unreadable_study_file", str(path), "must be readable text", str(found), "Save it as UTF-8.")
        ) from None


def _unknown_sections(document: Mapping[str, Any], place: str) -> _Read:
    offered = tuple(Study.model_fields)
    return _Read({}, [catalogue.unknown(place, "section", word, offered) for word in document if word not in offered])


def _fixed(document: Mapping[str, Any], place: str) -> _Read:
    """Sections whose keys are always the same, and the accepted findings."""
    sections: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, section in SECTIONS.items():
        read = validate(section, document.get(name, {}), f"{place} [{name}]")
        sections[name] = read.sections.get("it")
        findings += read.findings
    accept = document.get("accept", {})
    sections["accept"] = accept
    if not isinstance(accept, dict) or not all(
        isinstance(reason, str) and reason.strip() for reason in accept.values()
    ):
        rule = "must give a reason in words for each accepted finding"
        findings.append(
            Finding("accept_without_reason", f"{place} [accept]", rule, "one has none", 'Write name = "the reason".')
        )
    return _Read(sections, findings)


def _kinds(document: Mapping[str, Any], place: str) -> Iterator[_Read]:
    """The inputs and the targets, each with the options of its kind."""
    for group, axis in _AXES.items():
        tables = document.get(group)
        if not isinstance(tables, dict) or not tables:
            found = "there is none" if not tables else "it is not a table"
            example = f'[{group}.name] with kind = "{catalogue.names(axis)[-1]}"'
            yield _Read(
                {}, [Finding(f"no_{group}", f"{place} [{group}]", "needs at least one", found, f"Add {example}.")]
            )
            continue
        read = {name: _kind(axis, table, f"{place} [{group}.{name}]", name) for name, table in tables.items()}
        findings = [finding for part in read.values() for finding in part.findings]
        yield _Read({group: {name: part.sections.get("it") for name, part in read.items()}}, findings)


def _kind(axis: Axis, table: Any, place: str, name: str) -> _Read:
    """One input or target: find its kind, then let the kind's options judge the other keys."""
    if not (name[:1].isalpha() and name.replace("-", "_").isidentifier()):
        return _Read({}, [Finding("odd_name", place, f"a name is {_NAME}", "it is not", "Choose another name.")])
    if not isinstance(table, dict) or not isinstance(table.get("kind"), str):
        offered = ", ".join(catalogue.names(axis))
        return _Read({}, [Finding("no_kind", place, "must say its kind", "kind is missing", f"On offer: {offered}.")])
    if table["kind"] not in catalogue.names(axis):
        word = "input kind" if axis == "inputs" else "target kind"
        return _Read({}, [catalogue.unknown(f"{place} kind", word, table["kind"], catalogue.names(axis))])
    kind = catalogue.find(axis, table["kind"])
    read = validate(kind.Options, {k: v for k, v in table.items() if k != "kind"}, place)
    if read.findings:
        return read
    section = InputSection if axis == "inputs" else TargetSection
    return _Read({"it": section.model_construct(kind=table["kind"], options=read.sections["it"])}, [])


def validate(section: type[S], table: Any, place: str) -> _Read:
    """A table of the file against its schema: the section under "it", or what is wrong with it."""
    try:
        # By way of JSON, because there strict still takes a list for a tuple and a word for an enumeration.
        text = json.dumps(table, default=str)
        return _Read({"it": section.model_validate_json(text, strict=True)}, [])
    except ValidationError as error:
        details = error.errors(include_url=False)
        return _Read({}, [_finding(section, place, detail) for detail in _distinct(details)])


def _distinct(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """One error per key. A key that may be one of several types reports each of them: tell the most fitting."""
    by_key: dict[Any, list[ErrorDetails]] = {}
    for detail in details:
        by_key.setdefault(detail["loc"][:1], []).append(detail)
    return [min(same_key, key=_distance) for same_key in by_key.values()]


def _distance(detail: ErrorDetails) -> int:
    """How far an error is from what the user meant: a broken bound says more than another type does."""
    if detail["type"] == "literal_error":
        return 1 if isinstance(detail["input"], str) else 3
    return 2 if detail["type"].endswith(("_type", "_parsing")) else 0


def _finding(section: type[Section], place: str, detail: ErrorDetails) -> Finding:
    key = str(detail["loc"][0]) if detail["loc"] else ""
    field = section.model_fields.get(key)
    meant = " ".join((field.description or "").split()) if field else ""
    where = f"{place} {key}".strip()
    match detail["type"]:
        case "extra_forbidden":
            return catalogue.unknown(place, "key", key, tuple(section.model_fields))
        case "missing":
            return Finding("missing_key", where, "is required", "it is missing", meant or f"Write {key} = ...")
        case "literal_error" | "enum":
            remedy = _nearest(str(detail["input"]), str(detail.get("ctx", {}).get("expected", "")))
            return Finding("wrong_word", where, _rule(detail), f"got {_shown(detail['input'])}", remedy)
        case _:
            return Finding(
                "wrong_value", where, _rule(detail), f"got {_shown(detail['input'])}", meant or "Correct it."
            )


def _rule(detail: ErrorDetails) -> str:
    rule = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return rule[:1].lower() + rule[1:]


def _nearest(word: str, expected: str) -> str:
    offered = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]
    near = get_close_matches(word, offered, n=1, cutoff=0.5)
    hint = f'Did you mean "{near[0]}"? ' if near else ""
    return f"{hint}Choose one of: {', '.join(offered)}."


def _shown(value: Any) -> str:
    """A value of the study file for a message: short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
