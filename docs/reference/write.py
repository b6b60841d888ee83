"""Write docs/reference/study.md from the schema of the study file: `make docs`.

The help of each key is the docstring under it in the code, so page, editor and program say the same.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from polyclinic.study import catalogue
from polyclinic.study.schema import SECTIONS

PAGE = Path(__file__).with_name("study.md")

_HEAD = """# Every key of the study file

<!-- Written by `make docs` from the schema; change the docstrings in the code instead. -->

A study file is [TOML](https://toml.io). Unknown keys are errors, with a suggestion. `polyclinic new` writes the JSON
Schema beside the draft, so that an editor completes and checks the file. A run leaves a copy with every default written
out.

Only `[cohort]`, one input and one target must be given.
"""
_ACCEPT = """## [accept]

Names of refused findings that you accept, each with the reason: `duplicate_records = "published split"`. The reasons
stand on the model card. See [how to accept a finding](../how-to/accept.md).
"""
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def page() -> str:
    """The whole page."""
    sections = [part for name, section in SECTIONS.items() for part in _tables(f"[{name}]", section)]
    kinds = [
        *(_table(f"[inputs.<name>] kind = {_code(kind)}", _options("inputs", kind)) for kind in _names("inputs")),
        *(_table(f"[targets.<name>] kind = {_code(kind)}", _options("heads", kind)) for kind in _names("heads")),
    ]
    first = sections.index(_table("[split]", SECTIONS["split"]))
    return "\n".join([_HEAD, *sections[:first], _ACCEPT, *kinds, *sections[first:]])


def _names(axis: catalogue.Axis) -> tuple[str, ...]:
    return catalogue.names(axis)


def _options(axis: catalogue.Axis, kind: str) -> type[BaseModel]:
    options: type[BaseModel] = catalogue.find(axis, kind).Options
    return options


def _table(title: str, section: type[BaseModel]) -> str:
    rows = "".join(f"{row}\n" for row in _rows(section))
    return f"## {title}\n\n| key | value | default | |\n|---|---|---|---|\n{rows}"


def _tables(title: str, section: type[BaseModel]) -> Iterator[str]:
    """A section, and the tables that stand within it under the user's own names."""
    yield _table(title, section)
    for key, field in section.model_fields.items():
        if get_origin(field.annotation) is dict and _is_section(get_args(field.annotation)[1]):
            yield _table(f"{title[:-1]}.{key}.<name>]", get_args(field.annotation)[1])


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _rows(section: type[BaseModel]) -> Iterator[str]:
    for key, field in section.model_fields.items():
        words = dict.fromkeys(_values(field.annotation))
        cells = (f"`{key}`", ", ".join(words), _default(field), " ".join((field.description or "").split()))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(annotation: Any) -> Iterator[str]:
    """What a key may hold, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _values(inner[0])
    elif origin in (Union, UnionType):
        for one in inner:
            yield from _values(one)
    elif origin is Literal:
        yield from map(_code, inner)
    elif origin is tuple:
        kinds = dict.fromkeys(word for one in inner if one is not Ellipsis for word in _values(one))
        yield f"list of {' or '.join(kinds)}"
    elif origin is dict:
        yield f"`{{name = ...}}` with {' or '.join(dict.fromkeys(_values(inner[1])))}"
    elif _is_section(annotation):
        yield "a table, see below"
    elif annotation is not NoneType:
        yield _WORDS.get(annotation) or ", ".join(_code(one.value) for one in annotation)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "not set"
    if field.default is PydanticUndefined:
        return "**required**"
    if field.default is None:
        return "not set"
    return _code(getattr(field.default, "value", field.default))


def _code(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(_quoted(one) for one in value)}]`"
    return f"`{_quoted(value)}`"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"Wrote {PAGE.name}\n")
