"""Log loss, slope and coverage before and after the correction of probabilities, on twenty tables, five folds each.

    POLYCLINIC_DATA=... python benchmarks/corrections.py [table ...] [--set training.cross_fit=0]

Goals: log loss never rises by more than its noise and falls on most tables, slopes come nearer to 1, and sets of
classes hold the true one as often as promised. *Before* is the same network without its correction. The noise of a
change is its standard error over patients. Each run is one look at the test rows of these tables: docs/decisions.md
counts them.
Data: as for drafts.py; the tables stand in corrections/tables.toml.
"""

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import tomli_w
from jaxtyping import Bool, Float
from made_up import hidden, numbers, write_arff
from measure import SMALL, Asked, Figure, main, merged, remark
from packaged import packaged
from pydantic import BaseModel, ConfigDict

import polyclinic
from polyclinic.answers.classes import ClassAnswer
from polyclinic.evidence.conformal import class_sets
from polyclinic.evidence.metrics.calibration import calibration_slope, surprise
from polyclinic.predictions.record import Predictions
from polyclinic.predictions.table import load

LIST = Path(__file__).parent / "corrections" / "tables.toml"
_CONFIDENCE = 0.95
_SUREST = 1e-6
"""Chances nearer to 0 or 1 are moved here: a slope needs log odds."""


class Stated(BaseModel):
    """One table; corrections/tables.toml says what each field means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    target: str
    positive: int | str
    patient: str = "row"
    leave_out: tuple[str, ...] = ()
    accept: dict[str, str] = {}


@dataclass(frozen=True)
class Change:
    """What the correction did to the test rows of one table.

    Attributes:
        loss: Log loss before and after.
        noise: Standard error of the change, over patients.
        slope: Before and after.
        covered: How often the set of plausible classes holds the true one.
        spread: How many classes it holds.
        auroc: After.
    """

    loss: tuple[float, float]
    noise: float
    slope: tuple[float, float]
    covered: float
    spread: float
    auroc: float


def tables() -> dict[str, Stated]:
    """The list."""
    return {name: Stated(**fields) for name, fields in tomllib.loads(LIST.read_text(encoding="utf-8")).items()}


def study_of(stated: Stated, name: str, asked: Asked, folder: Path) -> Mapping[str, Any]:
    """The study of a table, which is fetched into ``folder``: all other columns, all defaults, five folds."""
    package, _, file = stated.at.partition(":")
    if package == "builtin":
        cohort = {"source": stated.at, "patient": stated.patient}
    else:
        content = asked.data(file).read_bytes() if package == "data" else packaged(package, file)
        (folder / Path(file).name).write_bytes(content)
        cohort = {"table": Path(file).name, "patient": stated.patient}
    return {
        "study": {"name": name},
        "cohort": cohort,
        "accept": stated.accept,
        "inputs": {"table": {"kind": "tabular", "leave_out": list(stated.leave_out)}},
        "targets": {"outcome": {"kind": "classify", "column": stated.target, "positive": stated.positive}},
        "split": {"folds": 5},
        "evidence": {"baselines": False, "resamples": 0},
    }


def change_of(predictions: Predictions) -> Change:
    """Before and after, on the test rows."""
    test = predictions.part("test")
    answer = _outcome(test)
    known = np.isfinite(answer.truth)
    truth, patient = answer.truth[known], test.samples.patient[known]
    chances = [np.clip(p[known, 1], _SUREST, 1 - _SUREST) for p in (answer.raw, answer.probabilities)]
    losses = [surprise(truth, chance) for chance in chances]
    held = _sets(predictions)[known]
    return Change(
        loss=(float(losses[0].mean()), float(losses[1].mean())),
        noise=_noise(losses[1] - losses[0], patient),
        slope=(float(calibration_slope(truth, chances[0])), float(calibration_slope(truth, chances[1]))),
        covered=float(held[np.arange(len(truth)), truth.astype(int)].mean()),
        spread=float(held.sum(axis=1).mean()),
        auroc=_auroc(truth, chances[1]),
    )


def _outcome(predictions: Predictions) -> ClassAnswer:
    answer = predictions.answers["outcome"]
    assert isinstance(answer, ClassAnswer)
    return answer


def _noise(change: Float[np.ndarray, " sample"], patient: np.ndarray) -> float:
    """Standard error of the mean over patients, who may have several rows."""
    total = np.bincount(np.unique(patient, return_inverse=True)[1].reshape(-1), weights=change - change.mean())
    return float(np.sqrt((total**2).sum()) / len(change))


def _sets(predictions: Predictions) -> Bool[np.ndarray, "sample klass"]:
    """Plausible classes of the test rows, by the tune rows of the same fold."""
    tune, test = predictions.part("tune"), predictions.part("test")
    held = np.zeros(_outcome(test).probabilities.shape, dtype=bool)
    for fold in np.unique(test.samples.fold):
        here, learned = test.samples.fold == fold, _outcome(tune).take(np.flatnonzero(tune.samples.fold == fold))
        chances = _outcome(test).probabilities[here]
        held[here] = class_sets(learned.probabilities, learned.truth, chances, _CONFIDENCE)
    return held


def _auroc(truth: Float[np.ndarray, " sample"], chance: Float[np.ndarray, " sample"]) -> float:
    rank = pl.Series(chance).rank().to_numpy()
    yes = truth.sum()
    return float((rank[truth == 1].sum() - yes * (yes + 1) / 2) / (yes * (len(truth) - yes)))


def figures(asked: Asked) -> Iterator[Figure]:
    """Each table, and then all of them."""
    changes: list[Change] = []
    for name in ("pima",) if asked.small else asked.names:
        changes.append(_change(tables()[name], name, asked))
        yield from _lines(name, changes[-1])
    worse = sum(one.loss[1] - one.loss[0] > 2 * one.noise for one in changes)
    better = sum(one.loss[1] < one.loss[0] for one in changes)
    same = sum(one.loss[1] == one.loss[0] for one in changes)
    off = np.abs(np.log([[max(side, 0.01) for side in one.slope] for one in changes])).mean(axis=0)
    whole = f"{len(changes)} tables"
    yield Figure(whole, "tables where log loss rises by more than two standard errors", (int(worse),), reference="0")
    yield Figure(whole, "tables where log loss falls", (int(better),), reference="most")
    yield Figure(whole, "tables that are left as they are", (int(same),))
    yield Figure(whole, "mean distance of the log slope from 0, before", (float(off[0]),))
    after, before = (float(off[1]),), f"{off[0]:.2f} before"
    yield Figure(whole, "mean distance of the log slope from 0, after", after, reference=before, leads=True)
    yield Figure(whole, "mean change of log loss", (float(np.mean([one.loss[1] - one.loss[0] for one in changes])),))
    yield Figure(whole, "mean coverage of sets", (float(np.mean([one.covered for one in changes])),), reference=".95")


def _change(stated: Stated, name: str, asked: Asked) -> Change:
    with tempfile.TemporaryDirectory() as folder:
        keys = merged(study_of(stated, name, asked, Path(folder)), asked.settings, {"study": {"seed": asked.seeds[0]}})
        if asked.small:
            keys = merged(keys, SMALL, {"split": {"folds": 2}})
        path = Path(folder) / "study.toml"
        path.write_text(tomli_w.dumps(keys), encoding="utf-8")
        done = polyclinic.run(path, Path(folder) / "run")
        [ours] = load(done.folder / "predictions.parquet")
    return change_of(ours)


def _lines(name: str, change: Change) -> Iterator[Figure]:
    before, after = change.loss
    remark(f"{name}: log loss {before:.4f} to {after:.4f} (noise {change.noise:.4f})")
    yield Figure(name, "AUROC", (change.auroc,))
    yield Figure(name, "log loss before", (before,))
    yield Figure(name, "log loss after", (after,), reference=f"before + {2 * change.noise:.3f} at most")
    yield Figure(name, "slope before", (change.slope[0],))
    yield Figure(name, "slope after", (change.slope[1],), reference="nearer to 1")
    yield Figure(name, "coverage of sets", (change.covered,), reference=f".95, with {change.spread:.2f} classes")


def small(folder: Path) -> None:
    """One table with the columns that the list names."""
    signal = hidden(80)
    sick = pl.Series("class", np.where(signal > 0, "tested_positive", "tested_negative"))
    made = numbers(signal, ["plas", "pres", "skin"]).with_columns(sick)
    write_arff(folder / "tabular" / "diabetes.arff", made)


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(tables()), small=small)
