"""Every benchmark runs from end to end on made-up data, and the README's table is made of what they print."""

import argparse
import json
import math
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
PROGRAMS = sorted(path for path in BENCHMARKS.glob("*.py") if "\n    main(figures, __doc__" in path.read_text("utf-8"))
QUICK = {"intervals"}


def programs():
    return [pytest.param(p, id=p.stem, marks=() if p.stem in QUICK else pytest.mark.slow) for p in PROGRAMS]


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """As if a benchmark were started by its path, on a machine without data."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delenv("POLYCLINIC_DATA", raising=False)


def run(path, monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", [str(path), *words])
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("path", programs())
def test_it_runs_on_made_up_data(path, monkeypatch, capfd):
    run(path, monkeypatch, "--small", "--json", *(["--seeds", "1"] if path.stem in {"medmnist", "golub"} else []))
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert any(line["leads"] and line["model"] == "polyclinic" for line in lines)
    for line in lines:
        assert all(math.isfinite(value) for value in line["values"]), line
        assert line["command"].startswith(f"benchmarks/{path.name}")


def test_without_data_it_says_where_to_look(monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(BENCHMARKS / "golub.py", monkeypatch)
    assert stopped.value.code == 3
    assert "POLYCLINIC_DATA" in capsys.readouterr().err


def test_a_study_can_be_changed_by_arguments(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(BENCHMARKS / "golub.py", monkeypatch, "--help")
    assert "SECTION.KEY=VALUE" in capsys.readouterr().out


@pytest.fixture
def figures(beside):
    return pytest.importorskip("figures")


@pytest.fixture
def readme():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_names_commands_that_exist(figures, readme):
    commands = figures.commands(readme)
    assert len(commands) > 20
    assert len(set(commands)) == len(commands)
    for command in commands:
        assert (ROOT / command.split()[0]).exists(), command


def test_only_the_measured_row_is_rewritten(figures, readme):
    command = figures.commands(readme)[1]
    ours = figures.Figure("made up", "auroc", (0.9, 0.8), low=0.7, high=0.95, reference="paper .9", leads=True)
    plain = figures.Figure("made up", "auroc", (0.5,), model="logistic", reference="same rows", leads=True)
    row = figures.row_of([ours, plain], command, "2026-01-02, abcdef0")
    text = figures.rewrite(readme, [row])
    changed = [line for line in text.splitlines() if line not in readme.splitlines()]
    assert changed == [
        "| made up, AUROC | .850 | .700 to .950, sd .071 | logistic .500, same rows; paper .9 "
        f"| `{command}` | 2026-01-02, abcdef0 |"
    ]
    assert figures.commands(text) == figures.commands(readme)


def test_what_a_benchmark_prints_comes_back_whole(figures, capsys):
    import measure

    one = figures.Figure("made up", "errors", (1, 0), leads=True, minutes=(0.1, 0.2))
    measure.show([one], as_json=True)
    assert figures._figure(capsys.readouterr().out) == one
    assert one.figure == "1, 0"


FALSE_OF_PLAIN = {
    "kind": ("regress",),
    "positive": "no",
    "ordered": True,
    "says": ("competing",),
    "patient": ("sodium",),
    "site": "ward",
    "not_inputs": ("urea",),
    "numbers": ("potassium",),
    "categories": ("urea",),
    "codes": ("sodium",),
}
FALSE_OF_DIED = {"event": "sodium", "time": "urea", "entry": "sodium", "seen": ("0",)}


@pytest.fixture
def examine(beside, tmp_path):
    """What is wrong with the draft for a made-up table, were something else right for it."""
    import measure

    drafts = pytest.importorskip("drafts")
    drafts.small(tmp_path)
    tables = drafts.read_list(tmp_path / "tables.toml")
    asked = measure.Asked((), (1,), {}, tmp_path, True, argparse.Namespace())
    return lambda name, **fields: drafts.examine(name, tables[name].model_copy(update=fields), asked)


def test_a_draft_is_right_only_if_every_stated_field_is(examine):
    assert examine("plain") == examine("died") == []
    for name, fields in (("plain", FALSE_OF_PLAIN), ("died", FALSE_OF_DIED)):
        for field, value in fields.items():
            assert len(examine(name, **{field: value})) == 1, field


def test_an_index_that_was_left_out_is_not_looked_for_in_the_first_column_that_is_left(examine):
    assert examine("plain", numbers=("urea",), not_inputs=("",)) == []


def test_forty_tables_are_listed_and_twenty_others(beside):
    drafts = pytest.importorskip("drafts")
    first, second = (drafts.read_list(path) for path in drafts.LISTS.values())
    assert (len(first), len(second)) == (40, 20)
    assert not {one.at for one in first.values()} & {one.at for one in second.values()}
