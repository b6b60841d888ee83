"""Pages at the root and pages written from the code are as the code is now. (`tests/flow/test_tutorials.py`: docs/.)"""

import importlib.util
import re
from pathlib import Path

import pytest

from polyclinic.cli import app
from polyclinic.study.read import parse_study

ROOT = Path(__file__).parents[2]
FRONTS = ("README.md", "README.zh.md")
PAGES = (*FRONTS, "CONTRIBUTING.md", "CHANGELOG.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_reference_of_the_study_file_is_fresh():
    path = ROOT / "docs" / "reference" / "write.py"
    spec = importlib.util.spec_from_file_location("write", path)
    assert spec is not None
    assert spec.loader is not None
    write = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write)
    assert text("docs/reference/study.md") == write.page(), "run: make docs"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[\w-]*)?\)", text(name))
    assert [t for t in targets if not t.startswith("http") and not (ROOT / t).exists()] == []


@pytest.mark.parametrize("name", FRONTS)
def test_the_study_file_that_is_shown_is_one(name):
    [shown] = re.findall(r"^```toml\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)
    study = parse_study(shown)
    assert set(study.inputs) == {"cells", "film"}


@pytest.mark.parametrize("name", FRONTS)
def test_every_command_is_listed(name):
    listed = re.findall(r"^\| `polyclinic (\w+)", text(name), re.MULTILINE)
    assert listed == [command.callback.__name__ for command in app.registered_commands if command.callback]


def test_the_five_lines_are_those_of_the_package():
    import polyclinic

    [shown] = re.findall(r"^```python\n(.*?)^```", text("README.md"), re.DOTALL | re.MULTILINE)
    lines = [line.strip() for line in shown.splitlines() if line.strip()]
    assert lines == re.findall(r"^    (\S.*)$", polyclinic.__doc__ or "", re.MULTILINE)
    assert len(lines) <= 5


def test_both_languages_have_the_same_tree():
    trees = [re.search(r"```\nsrc/polyclinic/\n(.*?)```", text(name), re.DOTALL) for name in FRONTS]
    one, other = ([line.split()[0] for line in tree[1].splitlines()] for tree in trees if tree is not None)
    assert one == other


def test_the_screenshot_is_small():
    assert (ROOT / "docs" / "report.png").stat().st_size < 300_000
