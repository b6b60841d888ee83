"""The measures of the house hold: no circle, no arrow back up, calm functions, thin kinds, one word for one thing.

What was older than a rule is excused below. Excuses may only become fewer.
"""

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "polyclinic"

BARE_NUMBERS = 65
"""Constants that are a number without a reason beside them."""

CARRIED = {"say": 0, "material": 10}
"""Words for what was passed through many functions: how many still have such a parameter."""

UNTESTED = 165
"""Source files without a test file of their own name."""


@cache
def measuring() -> ModuleType:
    """The program that writes docs/reference/structure.md."""
    path = ROOT / "docs" / "reference" / "structure.py"
    spec = importlib.util.spec_from_file_location("structure", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["structure"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found():
    return measuring().structure(ROOT)


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def test_arrows_run_down_only_and_nothing_goes_round(found):
    assert found.back == ()
    assert found.circles == ()


def test_few_files_lie_loose(found):
    assert len(found.loose) <= 8, found.loose


def test_functions_are_calm(found):
    assert found.percentile(0.5) <= 8
    assert found.percentile(0.95) <= 20


def test_kinds_are_thin(found):
    assert {name: methods for name, methods in found.methods.items() if methods > 14} == {}


def test_a_class_name_stands_for_one_thing(found):
    assert found.twice == {}


def test_numbers_come_with_a_reason(found):
    bare = {str(path.relative_to(SOURCE)): measuring().bare_numbers(path) for path in sources()}
    assert found.bare_numbers <= BARE_NUMBERS, {path: names for path, names in bare.items() if names}


def test_what_travels_together_is_one_object():
    parameters = measuring().parameters(ast.parse(path.read_text(encoding="utf-8")) for path in sources())
    for name, most in CARRIED.items():
        assert parameters[name] <= most, name


def test_most_source_files_have_a_test_file_of_their_own():
    unit = ROOT / "tests" / "unit"
    paths = [path.relative_to(SOURCE) for path in sources() if path.stem not in {"__init__", "__main__"}]
    untested = [str(path) for path in paths if not (unit / path.with_name(f"test_{path.name}")).exists()]
    assert len(untested) <= UNTESTED, untested


def test_a_test_file_lies_where_its_source_lies():
    unit = ROOT / "tests" / "unit"
    of_name: dict[str, set[Path]] = {}
    for path in sources():
        of_name.setdefault(path.name, set()).add(path.relative_to(SOURCE).parent)
    for path in sorted(unit.rglob("test_*.py")):
        folder = path.relative_to(unit).parent
        assert (SOURCE / folder).is_dir(), path
        homes = of_name.get(path.name.removeprefix("test_"))
        assert homes is None or folder in homes, f"{path.relative_to(unit)} belongs to {homes}"


def test_no_room_is_called_by_what_could_be_anything():
    vague = {"utils", "helpers", "common", "manager", "managers", "handler", "handlers", "data", "info", "misc", "core"}
    assert [path for path in SOURCE.rglob("*") if path.stem in vague] == []
