"""The list of mutations does not rot: every line is still there, and breaking it still makes a program."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

_PATH = Path(__file__).with_name("run.py")
_SPEC = importlib.util.spec_from_file_location("mutation_run", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
run = importlib.util.module_from_spec(_SPEC)
sys.modules["mutation_run"] = run
_SPEC.loader.exec_module(run)

MUTATIONS = run.read_mutations()


def test_there_are_thirty_different_ones():
    assert len(MUTATIONS) >= 30
    assert len({(one.file, one.old, one.new) for one in MUTATIONS}) == len(MUTATIONS)
    assert len({one.means for one in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.means)
def test_the_line_is_still_there(mutation):
    broken = mutation.broken(run.ROOT)
    assert broken != mutation.path(run.ROOT).read_text(encoding="utf-8")
    ast.parse(broken)
    for test in mutation.likely:
        assert (run.ROOT / test.split("::")[0]).exists(), test


@pytest.mark.slow
@pytest.mark.parametrize("word", ["calibrated on test rows", "low and high of a survival answer"])
def test_two_of_them_are_noticed(word):
    [mutation] = [one for one in MUTATIONS if word in one.means]
    with run.copied_tree() as tree:
        verdict = run.try_mutation(mutation, tree, likely_only=True)
        assert mutation.broken(tree), "mended again"
    assert verdict.noticed
    assert "::" in verdict.by
