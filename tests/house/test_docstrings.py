"""Examples in docstrings are true: each is run, wherever one stands."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
EXAMPLES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path.read_text(encoding="utf-8").count(">>> ")
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
}
SKIPPED = {
    "polyclinic.workflow": 3  # they ask for a finished run, or for answers of another program: other tests make both
}
"""How many examples of a module cannot be run here; everywhere else every one is."""


@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_run(module):
    tests = doctest.DocTestFinder().find(import_module(module))
    examples = [example for test in tests for example in test.examples]
    assert len(examples) == EXAMPLES[module], "an example stands where nobody looks for one"
    assert sum(doctest.SKIP in example.options for example in examples) == SKIPPED.get(module, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert [test.name for test in tests if runner.run(test).failed] == []
