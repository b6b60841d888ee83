"""Whole studies, small enough to run in seconds: what the command line is asked, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import polyclinic
from polyclinic.cli import main
from polyclinic.steps.example_cohort import ExampleCohort, example_cohort
from polyclinic.workflow import Done

SHORT = {"training": {"epochs": 2}, "evidence": {"resamples": 50}, "model": {"size": "tiny"}}


@dataclass(frozen=True)
class Said:
    """What a command left: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYCLINIC_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def ask(capsys) -> Callable[..., Said]:
    """The command line, asked within this process."""

    def ask(*words: object) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(int(leaving.value.code or 0), said.out, said.err)

    return ask


@pytest.fixture
def small(tmp_path) -> Callable[..., ExampleCohort]:
    """A synthetic study that trains for a moment: one table, one class, or what is asked for."""

    def small(
        inputs: Mapping[str, str] | None = None,
        targets: Mapping[str, str] | None = None,
        *,
        patients: int = 80,
        folder: Path = tmp_path / "study",
        **settings: Mapping[str, Any],
    ) -> ExampleCohort:
        merged = {name: {**SHORT.get(name, {}), **settings.get(name, {})} for name in {**SHORT, **settings}}
        return example_cohort(
            folder, inputs or {"labs": "tabular"}, targets or {"sick": "classify"}, patients=patients, settings=merged
        )

    return small


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Done:
    """One finished run of the small study, for commands that read a bundle; nobody may change it."""
    folder = tmp_path_factory.mktemp("finished")
    made = example_cohort(folder, {"labs": "tabular"}, {"sick": "classify"}, patients=100, settings=SHORT)
    return polyclinic.run(made.study, folder / "run")
