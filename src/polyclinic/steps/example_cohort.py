"""A made-up cohort with a known signal: for tests, tutorials, and to see whether an explanation finds what is there.

Every patient has a hidden number, the signal. Each input carries it in a known place (its kind's ``example`` says
where), each outcome is driven by it, and everything else is noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import tomli_w
from jaxtyping import Float

from polyclinic.errors import Finding, StudyError
from polyclinic.geometry import Ground, Known
from polyclinic.heads.base import Dense
from polyclinic.inputs.base import Located
from polyclinic.study import catalogue


@dataclass(frozen=True)
class ExampleCohort:
    """A synthetic study on disk.

    Attributes:
        study: The study file; ``polyclinic run`` takes it as it is.
        table: The table of patients beside it.
        signal: The hidden number of each row, standard normal.
    """

    study: Path
    table: Path
    signal: Float[np.ndarray, " sample"]


def example_cohort(
    folder: Path,
    inputs: Mapping[str, str],
    targets: Mapping[str, str],
    *,
    patients: int = 200,
    visits: int = 1,
    seed: int = 1,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> ExampleCohort:
    """Write a cohort and a study file that asks for ``targets`` from ``inputs``.

    Args:
        folder: Where to write; made if it does not exist.
        inputs: Kind of each input, by the name it shall have, such as ``{"labs": "tabular"}``.
        targets: Kind of each target, by the name it shall have, such as ``{"sick": "classify"}``.
        patients: How many patients.
        visits: Rows of each patient; the signal is the patient's own plus a little for the visit.
        seed: The same seed gives the same bytes.
        settings: Other sections of the study file, such as ``{"training": {"epochs": 3}}``.

    Raises:
        StudyError: if a kind does not exist, or a dense question has no input to be asked on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    signal = np.repeat(rng.standard_normal(patients), visits)
    if visits > 1:
        signal = (signal + 0.3 * rng.standard_normal(len(signal))) / np.hypot(1, 0.3)
    frames = [_who(rng, patients, visits)]
    sections: dict[str, Any] = {
        "study": {"name": "synthetic", "title": "A synthetic study with a known signal", "seed": seed},
        "cohort": {"table": "cohort.csv", "patient": "patient_id", "site": "hospital", "strata": ["sex"]},
        "inputs": {},
        "targets": {},
    }
    known: dict[str, Sequence[Known]] = {}
    grounds: dict[str, Ground] = {}
    for name, word in inputs.items():
        kind = catalogue.find("inputs", word)
        if issubclass(kind, Located):
            frame, keys, known[name] = kind.example_known(rng, signal, folder, name)
            grounds[name] = kind.ground
        else:
            frame, keys = kind.example(rng, signal, folder, name)
        frames.append(frame)
        sections["inputs"][name] = {"kind": word, **keys}
    for name, word in targets.items():
        head = catalogue.find("heads", word)
        if issubclass(head, Dense):
            on = _ground(head, grounds)
            frame, keys = head.example_on(rng, known[on], folder, name)
            keys = {"on": on, **keys}
        else:
            frame, keys = head.example(rng, signal, name)
        frames.append(frame)
        sections["targets"][name] = {"kind": word, **keys}
    table = folder / "cohort.csv"
    pl.concat(frames, how="horizontal").write_csv(table)
    return ExampleCohort(_write_study(folder, sections, settings or {}), table, signal)


def _ground(head: type[Dense], grounds: Mapping[str, Ground]) -> str:
    """The first input on which such a question can be asked."""
    found = [name for name, ground in grounds.items() if ground in head.grounds]
    if found:
        return found[0]
    rule, remedy = "a dense question needs an input with places", "Add a picture, a volume or a text."
    raise StudyError(Finding("wrong_ground", "synthetic study", rule, "there is none", remedy))


def _who(rng: np.random.Generator, patients: int, visits: int) -> pl.DataFrame:
    """Who the rows are about: an identifier, a hospital and a sex that have nothing to do with the signal."""
    hospital = rng.choice(["north", "south", "east"], patients)
    sex = rng.choice(["female", "male"], patients)
    return pl.DataFrame(
        {
            "patient_id": np.repeat([f"P{number:05d}" for number in range(patients)], visits),
            "hospital": np.repeat(hospital, visits),
            "sex": np.repeat(sex, visits),
        }
    )


def _write_study(folder: Path, sections: dict[str, Any], settings: Mapping[str, Mapping[str, Any]]) -> Path:
    for name, keys in settings.items():
        sections[name] = {**sections.get(name, {}), **keys}
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps(sections), encoding="utf-8")
    return path
