"""The training step against a plain loop, and the whole fit against its bare steps.

    python benchmarks/step.py [--size large] [--rounds 5] [--batch 64] [--rows 800] [--epochs 3]

Same network (ResNet-18 for small images inside our model), same batches, one process, alternating. The plain loop is
what a tutorial would write: single precision, AdamW, no running average, no clipping. Our step has all of these.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from unittest.mock import patch

import numpy as np
import torch
from jaxtyping import Float
from measure import Asked, Figure, main
from sklearn.metrics import roc_auc_score

from polyclinic.cohort.rows import Inner, Rows, TestRows, TrainRows, TuneRows
from polyclinic.cohort.table import load
from polyclinic.heads.classify import ClassTarget
from polyclinic.model import Model, build
from polyclinic.steps.assemble import assemble
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.steps.kinds import kinds_of
from polyclinic.study.read import read_study
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.tensors import Batch, InputTensors
from polyclinic.training.batches.imbalance import Weights
from polyclinic.training.devices.precision import choose_precision
from polyclinic.training.devices.process_group import ALONE, ProcessGroup
from polyclinic.training.fit import fit
from polyclinic.training.outputs import evaluate
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import write_recipe
from polyclinic.training.updates.step import Stepper, StepWork

RATE = 1e-3
SETTINGS = TrainingSection(device="cpu", learning_rate=RATE)


@dataclass(frozen=True)
class Bench:
    """A synthetic cohort, ready."""

    ready: Ready
    rows: Inner
    test: Rows
    truth: Float[np.ndarray, " row"]

    def model(self, size: Size = Size.SMALL) -> Model:
        """A fresh network."""
        return build(self.ready.inputs, self.ready.heads, ModelSection(size=size), seed=1)


class Plain:
    """The loop of a tutorial."""

    name = "plain loop, single precision"

    def __init__(self, bench: Bench, size: Size) -> None:
        self.heads = bench.ready.heads
        self.model = bench.model(size).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=RATE)

    def step(self, batch: Batch) -> float:
        """One step; the loss."""
        outputs = self.model(batch.inputs).outputs
        loss = self.heads["sick"].loss(outputs["sick"], batch.targets["sick"]).mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.item())


class Ours:
    """Our step."""

    def __init__(self, bench: Bench, size: Size, batch: int) -> None:
        model = bench.model(size)
        self.precision, _ = choose_precision(model, SETTINGS)
        recipe = write_recipe(model, SETTINGS.model_copy(update={"batch": batch}), len(bench.rows.train))
        self.precision.place(model)
        self.stepper = Stepper(model.train(), bench.ready.heads, recipe, self.precision)
        self.model = self.stepper.average.model
        self.name = f"our step, {'bfloat16' if self.precision.half else 'single precision'}"

    def step(self, batch: Batch) -> float:
        """One step; the loss."""
        inputs = {name: self.precision.move(tensors) for name, tensors in batch.inputs.items()}
        rows = len(batch.targets["sick"].known)
        work = StepWork(np.arange(rows), rows, Batch(inputs, batch.targets), None)
        return self.stepper.step(work, Weights({}), ALONE).item()


def prepare(folder: Path, rows: int, kind: str) -> Bench:
    """A made-up cohort with one input of a kind."""
    made = example_cohort(folder, {"film": kind}, {"sick": "classify"}, patients=rows)
    study = read_study(made.study)
    kinds = kinds_of(study)
    cohort = load(study.cohort, folder, uses=kinds.column_uses(study.split))
    assembled = assemble(study, kinds, cohort, None)
    order = np.random.default_rng(1).permutation(rows)
    parts = [np.sort(part) for part in np.split(order, [rows * 7 // 10, rows * 8 // 10])]
    inner = Inner(TrainRows(parts[0]), TuneRows(parts[1]))
    ready = Ready.fit(assembled.inputs, assembled.questions, inner.train)
    target = assembled.questions["sick"].target
    assert isinstance(target, ClassTarget)
    return Bench(ready, inner, TestRows(parts[2]), np.asarray(target.truth, dtype=float))


def draw(bench: Bench, size: int, epochs: int) -> list[Batch]:
    """The same batches for both, with pictures in torch's own memory format."""
    rng = np.random.default_rng(2)
    order = np.concatenate([rng.permutation(bench.rows.train.index) for _ in range(epochs)])
    generator = torch.Generator().manual_seed(3)
    parts = np.array_split(order, max(1, len(order) // size))
    return [_contiguous(bench.ready.batch(part, generator)) for part in parts]


def _contiguous(batch: Batch) -> Batch:
    return Batch({name: _in_memory(tensors) for name, tensors in batch.inputs.items()}, batch.targets)


def _in_memory(tensors: InputTensors) -> InputTensors:
    """The pictures in torch's own memory format."""
    values = {f.name: getattr(tensors, f.name) for f in fields(tensors)}
    return replace(tensors, **{name: v.contiguous() for name, v in values.items() if isinstance(v, torch.Tensor)})


def compare_steps(bench: Bench, asked: argparse.Namespace) -> Iterator[Figure]:
    """Milliseconds of a step, what the networks have learned by then, and how many times ours is as fast."""
    batches = draw(bench, asked.batch, asked.epochs)
    runners: list[Plain | Ours] = [Plain(bench, asked.size), Ours(bench, asked.size, asked.batch)]
    for runner in (Plain(bench, asked.size), Ours(bench, asked.size, asked.batch)):
        timed(runner.step, batches[:2])  # so that neither pays for what is done once
    seconds: list[list[float]] = [[], []]
    for part in np.array_split(np.arange(len(batches)), min(asked.rounds, len(batches))):
        for runner, spent in zip(runners, seconds, strict=True):
            spent.append(timed(runner.step, [batches[i] for i in part]))
    weights = sum(weight.numel() for weight in runners[0].model.parameters())
    title = f"pictures, {weights:,} weights"
    for runner, spent in zip(runners, seconds, strict=True):
        yield _spread(title, "ms a step", [1e3 * one for one in spent], runner.name)
        yield Figure(title, "test AUROC", (auroc(bench, runner.model),), runner.name)
    ratios = [plain / ours for plain, ours in zip(*seconds, strict=True)]
    yield replace(_spread(title, "times as fast as a plain loop", ratios), reference="goal 2", leads=True)


def _spread(title: str, metric: str, values: Sequence[float], model: str = "polyclinic") -> Figure:
    """The median of some rounds, and from where to where they went."""
    return Figure(title, metric, (median(values),), model, min(values), max(values))


def timed(step: Callable[[Batch], float], batches: list[Batch]) -> float:
    """Seconds of one step."""
    start = perf_counter()
    for batch in batches:
        step(batch)
    return (perf_counter() - start) / len(batches)


def auroc(bench: Bench, model: Model) -> float:
    """How well a network ranks the test rows."""
    outputs = evaluate(model, bench.ready, bench.test).by_target["sick"]
    return float(roc_auc_score(bench.truth[bench.test.index], outputs.mean(axis=(1, 2))))


@contextmanager
def counted_steps() -> Iterator[list[float]]:
    """Seconds of every step that a fit takes."""
    seconds: list[float] = []
    step = Stepper.step

    def counting(self: Stepper, work: StepWork, weights: Weights, group: ProcessGroup) -> Float[torch.Tensor, ""]:
        start = perf_counter()
        loss = step(self, work, weights, group)
        seconds.append(perf_counter() - start)
        return loss

    with patch.object(Stepper, "step", counting):
        yield seconds


def compare_fit(bench: Bench, title: str, rounds: int, epochs: int | str) -> Iterator[Figure]:
    """What a whole fit takes beyond its bare steps."""
    shares = []
    for _ in range(rounds):
        with TemporaryDirectory() as folder, counted_steps() as seconds:
            settings = SETTINGS.model_copy(update={"epochs": epochs})
            start = perf_counter()
            fitted = fit(bench.model(), bench.ready, bench.rows, settings, seed=1, folder=Path(folder))
            shares.append((perf_counter() - start) / sum(seconds) - 1)
    title = f"{title}, {fitted.done} epochs, {len(seconds)} steps of {sum(seconds):.1f} s together"
    yield _spread(title, "share of a fit beyond its steps", shares)


def figures(asked: Asked) -> Iterator[Figure]:
    """Steps, then whole fits."""
    own = asked.own
    if asked.small:
        own = argparse.Namespace(size=Size.TINY, rows=40, batch=8, rounds=2, epochs=1)
    with TemporaryDirectory() as folder:
        images = prepare(Path(folder) / "images", own.rows, "image")
        table = prepare(Path(folder) / "table", own.rows, "tabular")
        yield from compare_steps(images, own)
        yield from compare_fit(images, "images", max(1, own.rounds // 2), own.epochs)
        yield from compare_fit(table, "table", own.rounds, own.epochs if asked.small else "auto")


def add(parser: argparse.ArgumentParser) -> None:
    """What only this benchmark is asked."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=Size, default=Size.LARGE, help="large is the ResNet-18 of the paper")
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=3)


if __name__ == "__main__":
    main(figures, __doc__, add=add)
