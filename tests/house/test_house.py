"""The rules of the house, where a program can check them. The floors are checked by import-linter."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import polyclinic

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "polyclinic").rglob("*.py"))
TEXTS = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".toml"} and not set(p.parts) & {".venv", "runs"}]

Trees = dict[str, ast.Module]


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Every source file, read once; one test looks at all of them, for a test for each took most of the time."""
    return {str(path.relative_to(ROOT / "src")): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def nodes(trees: Trees, *sorts: type[ast.AST]) -> Iterator[tuple[str, Any]]:
    """Parts of all files, each with the file it stands in."""
    for path, tree in trees.items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, sorts))


def test_files_stay_short():
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: length for path, length in lengths.items() if length > 410} == {}


def test_functions_and_classes_stay_calm(trees):
    for path, node in nodes(trees, ast.FunctionDef):
        body = node.body[1:] if ast.get_docstring(node) else node.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        assert lines <= 60, (path, node.name)
    for path, node in nodes(trees, ast.ClassDef):
        assert sum(isinstance(member, ast.FunctionDef) for member in node.body) <= 18, (path, node.name)


def test_nothing_is_pickled(trees):
    banned = {"pickle", "cPickle", "joblib", "dill", "cloudpickle"}
    for path, node in nodes(trees, ast.Import, ast.ImportFrom):
        names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        assert not banned & set(names), path


def test_nothing_is_left_undone_or_swallowed(trees):
    for path, node in nodes(trees, ast.Raise):
        assert node.exc is None or "NotImplementedError" not in ast.unparse(node.exc), path
    for path, node in nodes(trees, ast.ExceptHandler):
        assert node.type is not None, f"{path}: a bare except swallows everything"


def test_annotations_are_real_so_that_shapes_can_be_checked(trees):
    assert [path for path, node in nodes(trees, ast.ImportFrom) if node.module == "__future__"] == []


def test_the_public_face_is_sorted_and_true():
    assert sorted(polyclinic.__all__) == polyclinic.__all__
    for name in polyclinic.__all__:
        assert getattr(polyclinic, name) is not None


def test_help_does_not_wait_for_torch():
    code = "import sys, polyclinic.cli; sys.exit('torch' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_path_of_anybodys_machine_and_no_unfinished_marks():
    odd = re.compile(r"/work/|/root/|/home/|\bTODO\b|\bFIXME\b|\bXXX\b")
    guilty = [p for p in TEXTS if p != Path(__file__) and odd.search(p.read_text(encoding="utf-8"))]
    assert guilty == []


def test_the_tree_in_the_readme_is_true():
    """Every folder of the package stands in the README's tree, and the tree names none that is not there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```\nsrc/polyclinic/\n(.*?)```", text, re.DOTALL)
    assert block is not None
    named = {line.split()[0].rstrip("/") for line in block[1].splitlines() if re.match(r"^  \w+/", line)}
    folders = {p.name for p in (ROOT / "src" / "polyclinic").iterdir() if p.is_dir() and p.name[0] not in "._"}
    assert named == folders
