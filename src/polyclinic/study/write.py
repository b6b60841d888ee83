"""A study as text: the resolved copy with every default written out, and the schema for editors."""

from collections.abc import Iterator
from typing import Any

import tomli_w

from polyclinic.study import catalogue
from polyclinic.study.schema import SECTIONS, Study

SCHEMA_NAME = "study.schema.json"


def write_study(study: Study) -> str:
    """The study as TOML with every default visible; ``read_study`` gives the same study back."""
    return "\n".join(_tables(study))


def _tables(study: Study) -> Iterator[str]:
    yield "# As resolved by Polyclinic: every default is written out.\n"
    yield _table("study", study.study.model_dump(mode="json"))
    yield _table("cohort", study.cohort.model_dump(mode="json"))
    if study.accept:
        yield _table("accept", study.accept)
    for group, members in (("inputs", study.inputs), ("targets", study.targets)):
        for name, section in members.items():
            keys = {"kind": section.kind, **section.options.model_dump(mode="json")}
            yield _table(f"{group}.{name}", keys)
    for name in SECTIONS:
        if name not in ("study", "cohort"):
            yield _table(name, getattr(study, name).model_dump(mode="json"))


def _table(title: str, keys: dict[str, Any]) -> str:
    """One table and those within it. TOML has no word for "not set", so such keys stand there as comments."""
    within = {key: value for key, value in keys.items() if isinstance(value, dict) and value}
    given = tomli_w.dumps({key: value for key, value in keys.items() if value not in (None, {}) and key not in within})
    unset = "".join(f"# {key} is not set\n" for key, value in keys.items() if value in (None, {}))
    document: dict[str, Any] = _set(within)
    for part in reversed(title.split(".")):
        document = {part: document}
    return f"[{title}]\n{given}{unset}" + (f"\n{tomli_w.dumps(document)}" if within else "")


def _set(keys: dict[str, Any]) -> dict[str, Any]:
    """Nested tables without the keys that are not set."""
    return {k: _set(v) if isinstance(v, dict) else v for k, v in keys.items() if v is not None}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the study file, all kinds included, for editors that complete and check TOML."""
    schema = Study.model_json_schema()
    schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    schema["title"] = "Polyclinic study file"
    for group, axis in (("inputs", "inputs"), ("targets", "heads")):
        kinds = [_kind_schema(kind, found, schema["$defs"]) for kind, found in catalogue.usable(axis).items()]  # type: ignore[arg-type]
        schema["properties"][group]["additionalProperties"] = {"oneOf": kinds}
    for unused in ("InputSection", "TargetSection", "InputOptions", "TargetOptions"):
        schema["$defs"].pop(unused, None)
    return schema


def _kind_schema(kind: str, found: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = found.Options.model_json_schema()
    definitions |= schema.pop("$defs", {})
    schema["properties"] = {"kind": {"const": kind}, **schema.get("properties", {})}
    schema["required"] = ["kind", *schema.get("required", [])]
    schema["title"] = kind
    return schema
