"""Running a study for a benchmark and reading its figures by repetition, so that the spread over seeds is seen.

Data is found by the environment variable POLYCLINIC_DATA alone; each benchmark says where the public gets it.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import polyclinic
from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions
from polyclinic.predictions.table import load
from polyclinic.study.schema import EvidenceSection

STUDIES = Path(__file__).parent / "studies"


@dataclass(frozen=True)
class Measured:
    """What a study came to.

    Attributes:
        minutes: Wall-clock time of the whole run.
        gib: Peak memory of this process so far.
        evidence: The document of the run.
        models: Predictions of ours and of each plain model, test rows and tune rows.
    """

    minutes: float
    gib: float
    evidence: dict
    models: Mapping[str, Predictions]


def data(relative: str) -> Path:
    """A file of the public data; ends the program with a clear word if it is not there."""
    root = os.environ.get("POLYCLINIC_DATA")
    if root is None:
        sys.exit("Set POLYCLINIC_DATA to the folder that holds the public data; see the head of this file.")
    path = Path(root) / relative
    if not path.exists():
        sys.exit(f"POLYCLINIC_DATA holds no {relative}.")
    return path


def measure(name: str, table: Path | None = None, replace: Mapping[str, str] | None = None) -> Measured:
    """Run ``studies/<name>.toml`` on ``table``; ``replace`` changes text of the study first, such as the seed."""
    source = STUDIES / f"{name}.toml"
    text = (source if source.exists() else STUDIES.parents[1] / "studies" / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in (replace or {}).items():
        if old not in text:
            sys.exit(f"{name}.toml does not hold {old!r}.")
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        if table is not None:
            text = text.replace("TABLE", table.as_posix())
        study = Path(folder) / "study.toml"
        study.write_text(text, encoding="utf-8")
        start = time.monotonic()
        done = polyclinic.run(study, Path(folder) / "run")
        minutes = (time.monotonic() - start) / 60
        models = {p.model: p for p in load(done.folder / "predictions.parquet")}
        if (done.folder / "baselines.parquet").exists():
            models |= {p.model: p for p in load(done.folder / "baselines.parquet")}
        evidence = json.loads((done.folder / "evidence.json").read_bytes())
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Measured(minutes, gib, evidence, models)


def by_repeat(predictions: Predictions, target: str, metrics: Sequence[str]) -> dict[str, list[float]]:
    """Each metric of each repetition of the cross-validation, averaged over its folds."""
    values: dict[str, list[float]] = {metric: [] for metric in metrics}
    for repeat in np.unique(predictions.samples.repeat):
        one = predictions.take(np.flatnonzero(predictions.samples.repeat == repeat))
        document = judge(one, (), EvidenceSection(resamples=0), seed=1).document()
        for metric in metrics:
            values[metric].append(document["targets"][target]["metrics"][metric]["value"])
    return values


def row(name: str, values: Sequence[float]) -> str:
    """A line of a table: mean, spread over repetitions or seeds, and each."""
    each = " ".join(f"{value:.4f}" for value in values)
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{name:<28} {np.mean(values):.4f}  sd {spread:.4f}  [{each}]"
