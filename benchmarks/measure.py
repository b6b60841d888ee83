"""What all benchmarks share: arguments, the search for public data, runs of a study, and a table of figures.

A benchmark is a function that yields figures; ``main`` reads its arguments and prints the table, or with ``--json``
one line of JSON for each figure. Data is found by the environment variable POLYCLINIC_DATA alone; the head of each
benchmark says where the public gets it. With ``--small`` the benchmark first makes up a little data of the same layout,
and studies are cut down: its figures mean nothing then, but every line of it has run. So the tests run all of them.
"""

import argparse
import json
import os
import resource
import shlex
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import tomli_w

import polyclinic
from polyclinic.evidence.judge import judge
from polyclinic.predictions.record import Predictions
from polyclinic.predictions.table import load
from polyclinic.study.schema import EvidenceSection

OURS = "polyclinic"
NO_DATA = 3
"""Exit status where the data of a benchmark is not at hand; `make figures` keeps the old figure then."""

STUDIES = (Path(__file__).parent / "studies", Path(__file__).parents[1] / "studies")

Settings = Mapping[str, Mapping[str, Any]]
"""Keys of a study file by section; None takes a key away."""

SMALL: Settings = {
    "model": {"size": "tiny"},
    "training": {"epochs": 1},
    "evidence": {"resamples": 20},
}


@dataclass(frozen=True)
class Figure:
    """One line of a benchmark's table.

    Attributes:
        data: Which patients, and how they were divided.
        metric: What was measured, by its name in the evidence or in plain words.
        values: One for each seed or repetition; a whole number is printed as one.
        model: Whose figure it is.
        low: Lower end of the 95 % interval of the first seed, over patients.
        high: Its upper end.
        reference: What has been published for it, or what it should reach.
        leads: Whether it stands in the README's table.
        minutes: How long each run took.
    """

    data: str
    metric: str
    values: tuple[float, ...]
    model: str = OURS
    low: float | None = None
    high: float | None = None
    reference: str = ""
    leads: bool = False
    minutes: tuple[float, ...] = ()

    @property
    def figure(self) -> str:
        """The mean over seeds; counts are given one by one."""
        if not self.values:
            return "-"
        if all(isinstance(value, int) for value in self.values):
            return ", ".join(map(str, self.values))
        return number(float(np.mean(self.values)))

    @property
    def interval(self) -> str:
        """The interval, and the spread over seeds or repetitions."""
        parts = [] if self.low is None or self.high is None else [f"{number(self.low)} to {number(self.high)}"]
        if len(self.values) > 1 and not isinstance(self.values[0], int):
            parts.append(f"sd {number(float(np.std(self.values, ddof=1)))}")
        return ", ".join(parts)


def number(value: float) -> str:
    """Three digits; a share without the 0 before its point."""
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3g}"


@dataclass(frozen=True)
class Run:
    """What a study came to.

    Attributes:
        minutes: Wall-clock time of the whole run.
        gib: Peak memory of this process so far.
        evidence: The document of the run.
        models: Predictions of ours and of each plain model, test rows and tune rows.
    """

    minutes: float
    gib: float
    evidence: Mapping[str, Any]
    models: Mapping[str, Predictions]


@dataclass(frozen=True)
class Asked:
    """What a benchmark was asked for.

    Attributes:
        names: Which of its sets; all where none was named.
        seeds: Of the study, one run each.
        settings: Changes of the study file.
        root: The folder of the public data, or of what was made up.
        small: Whether studies are cut down.
        own: Arguments of this benchmark alone.
    """

    names: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: Settings
    root: Path | None
    small: bool
    own: argparse.Namespace

    def data(self, relative: str) -> Path:
        """A file or folder of the public data; ends the program with a clear word if it is not there."""
        if self.root is None:
            _stop("Set POLYCLINIC_DATA to the folder that holds the public data; see the head of this file.")
        path = self.root / relative
        if not path.exists():
            _stop(f"POLYCLINIC_DATA holds no {relative}.")
        return path

    def run(self, study: str, table: Path | None = None, changes: Settings | None = None) -> tuple[Run, ...]:
        """``studies/<study>.toml`` once for each seed, on ``table`` where it reads one."""
        runs = []
        for seed in self.seeds:
            runs.append(self._run(study, table, merged({"study": {"seed": seed}}, changes or {}, self.settings)))
            remark(f"{study}, seed {seed}: {runs[-1].minutes:.1f} minutes, peak {runs[-1].gib:.2f} GiB")
        return tuple(runs)

    def _run(self, study: str, table: Path | None, changes: Settings) -> Run:
        keys = merged(_read(study), changes)
        if table is not None:
            keys = merged(keys, {"cohort": {"table": table.as_posix(), "source": None}})
        if self.small:
            keys = merged(keys, SMALL, _fewer_folds(keys))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "study.toml"
            path.write_text(tomli_w.dumps(keys), encoding="utf-8")
            start = time.monotonic()
            done = polyclinic.run(path, Path(folder) / "run")
            minutes = (time.monotonic() - start) / 60
            tables = (done.folder / name for name in ("predictions.parquet", "baselines.parquet"))
            models = {one.model: one for table in tables if table.exists() for one in load(table)}
        return Run(minutes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, done.evidence, models)


Benchmark = Callable[[Asked], Iterator[Figure]]


def main(
    benchmark: Benchmark,
    document: str | None,
    *,
    sets: Sequence[str] = (),
    seeds: int = 1,
    small: Callable[[Path], None] | None = None,
    add: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Run a benchmark as a program.

    Args:
        benchmark: Yields its figures.
        document: What ``--help`` shows: the docstring of its file.
        sets: Sets of data of which some can be asked for by name.
        seeds: How many runs there are unless ``--seeds`` says otherwise.
        small: Makes up a little data under a folder, in the layout of the public data.
        add: Adds arguments of this benchmark alone.
    """
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *sets], metavar="set", help=f"of {', '.join(sets) or 'one'}")
    parser.add_argument("--seeds", type=int, default=seeds, help="how many runs")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--members", type=int, help="networks of an ensemble")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change the study file")
    parser.add_argument("--small", action="store_true", help="made-up data, hardly any training")
    parser.add_argument("--json", action="store_true", help="lines of JSON in place of the table")
    if add is not None:
        add(parser)
    own = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = os.environ.get("POLYCLINIC_DATA")
        if own.small and small is not None:
            small(Path(folder))
            root = folder
        settings = merged(*map(_change, own.set), {"model": {"ensemble": own.members}} if own.members else {})
        seen = range(own.first, own.first + own.seeds)
        names = tuple(own.names or sets)
        show(benchmark(Asked(names, tuple(seen), settings, Path(root) if root else None, own.small, own)), own.json)


def show(found: Iterable[Figure], as_json: bool) -> None:
    """Print figures as they come."""
    words = [Path(sys.argv[0]).name, *(word for word in sys.argv[1:] if word not in {"--json", "--small"})]
    command = f"benchmarks/{shlex.join(words)}"
    if not as_json:
        print(f"{command}\n{'name':<64} {'figure':>9} {'interval':<25} reference")
    for one in found:
        if as_json:
            print(json.dumps({**asdict(one), "command": command}), flush=True)
        else:
            name = f"{one.data}, {one.model} {one.metric}"
            print(f"{name:<64} {one.figure:>9} {one.interval:<25} {one.reference}", flush=True)


def remark(text: str) -> None:
    """Tell how things go; the figures alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def compare(
    runs: Sequence[Run],
    target: str,
    metrics: Sequence[str],
    *,
    data: str,
    leads: int = 1,
    references: Mapping[str, str] | None = None,
) -> Iterator[Figure]:
    """The figures of every model on one question, with the verdict as a remark.

    Args:
        runs: One for each seed, of one study.
        target: The user's name of the question.
        metrics: Their names in the evidence.
        data: Which patients, and how they were divided.
        leads: How many of the metrics, from the first, stand in the README's table.
        references: What is published, by metric.
    """
    document = runs[0].evidence["targets"][target]
    for model in runs[0].models:
        intervals = document["metrics"] if model == OURS else document["baselines"][model]["metrics"]
        for position, metric in enumerate(metrics):
            yield Figure(
                data=data,
                metric=metric,
                values=tuple(value for run in runs for value in by_repeat(run.models[model], target, metric)),
                model=model,
                low=intervals[metric]["low"],
                high=intervals[metric]["high"],
                reference=(references or {}).get(metric, "") if model == OURS else "same rows",
                leads=position < leads,
                minutes=tuple(run.minutes for run in runs),
            )
    remark(document["verdict"] or "no verdict")


def by_repeat(predictions: Predictions, target: str, metric: str) -> list[float]:
    """A metric of each repetition of the cross-validation that has one, averaged over its folds."""
    values = []
    for repeat in np.unique(predictions.samples.repeat):
        one = predictions.take(np.flatnonzero(predictions.samples.repeat == repeat))
        document = judge(one, (), EvidenceSection(resamples=0), seed=1).document()
        value = document["targets"][target]["metrics"][metric]["value"]
        if value is not None:
            values.append(float(value))
    return values


def _read(study: str) -> Settings:
    path = next(folder / f"{study}.toml" for folder in STUDIES if (folder / f"{study}.toml").exists())
    return tomllib.loads(path.read_text(encoding="utf-8"))


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Sections and keys of several studies as one; later parts win, and None takes a key away."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, Mapping):
                whole[key] = merged(whole.get(key, {}), value)
            elif value is None:
                whole.pop(key, None)
            else:
                whole[key] = value
    return whole


def _change(text: str) -> Settings:
    """``training.epochs=8`` as a part of a study file."""
    return tomllib.loads(text)


def _fewer_folds(keys: Settings) -> Settings:
    """Two folds once where a study has folds, and no more members than two."""
    split = {"folds": 2, "repeat": 1} if "folds" in keys.get("split", {}) else {}
    members = min(2, keys.get("model", {}).get("ensemble", 1))
    return {"split": split, "model": {"ensemble": members}}


def _stop(message: str) -> NoReturn:
    remark(message)
    raise SystemExit(NO_DATA)
