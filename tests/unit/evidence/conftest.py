"""Made-up answers of every form, with several samples of some patients, two repetitions of two folds."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.special import expit, softmax

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.labels import LabelsAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions, Samples
from polyclinic.study.schema import EvidenceSection

FORMS = ("binary", "multiclass", "multilabel", "value", "survival")
DAYS = np.linspace(10, 600, 40)


@dataclass(frozen=True)
class Truths:
    hidden: np.ndarray
    first: np.ndarray
    second: np.ndarray | None = None


def _truths(form: str, rng: np.random.Generator, n: int) -> Truths:
    hidden = rng.normal(size=n)
    if form == "binary":
        return Truths(hidden, (rng.random(n) < expit(1.5 * hidden - 1)).astype(float))
    if form == "multiclass":
        chances = softmax(np.stack([-hidden, 0 * hidden, hidden], 1) * 1.5, axis=1)
        return Truths(hidden, (rng.random(n)[:, None] > chances.cumsum(1)).sum(1).clip(0, 2).astype(float))
    if form == "multilabel":
        labels = (rng.random((n, 3)) < expit(np.stack([hidden - 1, -hidden, hidden / 2], 1))).astype(float)
        labels[rng.random((n, 3)) < 0.1] = np.nan
        return Truths(hidden, labels)
    if form == "value":
        return Truths(hidden, 5 + hidden + rng.normal(size=n) / 2)
    event_time, censor_time = rng.exponential(400 / np.exp(1.4 * hidden)), rng.exponential(600, size=n)
    return Truths(hidden, (event_time <= censor_time).astype(float), np.minimum(event_time, censor_time) + 0.1)


def _answer(form: str, truths: Truths, index: np.ndarray, noise: np.ndarray) -> Answer:
    seen, truth = truths.hidden[index] + noise, truths.first[index]
    if form == "binary":
        both = [np.stack([1 - p, p], 1) for p in (expit(1.5 * seen - 1), expit(3 * seen - 2))]
        return ClassAnswer(("benign", "malignant"), both[0], both[1], truth)
    if form == "multiclass":
        logits = np.stack([-seen, 0 * seen, seen], 1) * 1.5
        return ClassAnswer(("low", "middle", "high"), softmax(logits, axis=1), softmax(2 * logits, axis=1), truth)
    if form == "multilabel":
        logits = np.stack([seen - 1, -seen, seen / 2], 1)
        return LabelsAnswer(("effusion", "nodule", "mass"), expit(logits), expit(2 * logits), truth)
    if form == "value":
        return ValueAnswer("mmol/L", 5 + seen, truth)
    curves = np.exp(-np.exp(1.4 * seen[:, None]) * DAYS / 400)
    return SurvivalAnswer("days", seen, np.tile(DAYS, (len(seen), 1)), curves, truth, truths.second[index])


def _samples(rng: np.random.Generator, n: int, folds: int, repeats: int) -> tuple[np.ndarray, Samples]:
    """The first quarter of the rows belongs to patients with two rows each."""
    owner = np.array([row // 2 if row < n // 4 else row for row in range(n)])
    parts = [(r, f, p) for r in range(repeats) for f in range(folds) for p in (0, 1)]
    groups = [rng.permutation(n) % (folds + 2) for _ in range(repeats)]
    index = [np.flatnonzero(groups[r][owner] == f + p) for r, f, p in parts]
    spread = np.concatenate([np.full(len(i), k) for k, i in enumerate(index)])
    rows = np.concatenate(index)
    columns = {
        "sex": rng.choice(["f", "m"], n).astype(object),
        "band": rng.choice(["<50", "50-70", ">70"], n).astype(object),
    }
    site = rng.choice(["north", "south", "west"], n).astype(object)
    return rows, Samples(
        row=rows + 1,
        patient=np.array([f"p{k}" for k in owner], dtype=object)[rows],
        part=np.array(["test", "tune"], dtype=object)[[parts[k][2] for k in spread]],
        repeat=np.array([parts[k][0] for k in spread]),
        fold=np.array([parts[k][1] for k in spread]),
        site=site[rows],
        strata={name: values[rows] for name, values in columns.items()},
    )


def _make(form: str, n: int = 240, folds: int = 2, repeats: int = 2, seed: int = 0) -> tuple[Predictions, ...]:
    rng = np.random.default_rng(seed)
    index, samples = _samples(rng, n, folds, repeats)
    truths = _truths(form, rng, n)
    models = (("polyclinic", 0.2), ("logistic", 3.0), ("boosting", 1.8))
    return tuple(
        Predictions(
            model,
            samples,
            {"outcome": _answer(form, truths, index, noise * rng.normal(size=len(index)))},
            np.abs(rng.normal(size=len(index))),
        )
        for model, noise in models
    )


@pytest.fixture(scope="session")
def make():
    """A function: form -> predictions of polyclinic, logistic and boosting, from better to worse."""
    return _make


@pytest.fixture(scope="session", params=FORMS)
def form(request):
    return request.param


@pytest.fixture(scope="session")
def evidence():
    """Evidence of every form, made once."""
    settings = EvidenceSection(resamples=60)
    made = {word: _make(word) for word in FORMS}
    return {word: judge(ours, plain, settings, seed=1) for word, (ours, *plain) in made.items()}
