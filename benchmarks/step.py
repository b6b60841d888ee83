"""The training step against a plain loop, and the whole fit against its bare steps; prints two tables.

    python benchmarks/step.py [--size large] [--rounds 5] [--batch 64] [--rows 800] [--epochs 3]

Same network (ResNet-18 for small images inside our model), same batches, one process, alternating. The plain loop is
what a tutorial would write: single precision, AdamW, no running average, no clipping. Our step has all of these.
"""

import argparse
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from polyclinic.cohort.rows import Inner, Rows, TestRows, TrainRows, TuneRows
from polyclinic.model import Model, build
from polyclinic.steps.assemble import assemble
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.study.read import read_study
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.tensors import Batch
from polyclinic.training.fit import fit
from polyclinic.training.imbalance import Weights
from polyclinic.training.outputs import evaluate
from polyclinic.training.precision import choose_precision
from polyclinic.training.process_group import ALONE
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import write_recipe
from polyclinic.training.step import Stepper, StepWork

RATE = 1e-3
SETTINGS = TrainingSection(device="cpu", learning_rate=RATE)


@dataclass(frozen=True)
class Bench:
    """A synthetic cohort, ready."""

    ready: Ready
    rows: Inner
    test: Rows

    def model(self, size: Size = Size.SMALL) -> Model:
        """A fresh network."""
        return build(self.ready.inputs, self.ready.heads, ModelSection(size=size), seed=1)


class Plain:
    """The loop of a tutorial."""

    name = "plain loop, single precision"

    def __init__(self, bench: Bench, size: Size, batch: int) -> None:
        self.heads, self.model = bench.ready.heads, bench.model(size).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=RATE)

    def step(self, batch: Batch) -> float:
        """One step; the loss."""
        outputs = self.model(batch.inputs).outputs
        loss = self.heads["sick"].loss(outputs["sick"], batch.targets["sick"]).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


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
    made = example_cohort(folder, {"film": kind}, {"sick": "classify"}, patients=rows)
    assembled = assemble(read_study(made.study), folder, None)
    order = np.random.default_rng(1).permutation(rows)
    parts = [np.sort(part) for part in np.split(order, [rows * 7 // 10, rows * 8 // 10])]
    inner = Inner(TrainRows(parts[0]), TuneRows(parts[1]))
    ready = Ready.fit(assembled.inputs, assembled.questions, inner.train)
    return Bench(ready, inner, TestRows(parts[2]))


def draw(bench: Bench, size: int, epochs: int) -> list[Batch]:
    """The same batches for both, with pictures in torch's own memory format."""
    rng = np.random.default_rng(2)
    order = np.concatenate([rng.permutation(bench.rows.train.index) for _ in range(epochs)])
    return [_contiguous(bench.ready.batch(part)) for part in np.array_split(order, len(order) // size)]


def _contiguous(batch: Batch) -> Batch:
    return Batch({n: replace(t, pixels=t.pixels.contiguous()) for n, t in batch.inputs.items()}, batch.targets)


def compare_steps(bench: Bench, size: Size, batch: int, rounds: int, epochs: int) -> None:
    batches = draw(bench, batch, epochs)
    runners = [Plain(bench, size, batch), Ours(bench, size, batch)]
    warm = [Plain(bench, size, batch), Ours(bench, size, batch)]
    for runner in warm:
        timed(runner.step, batches[:2])
    seconds: list[list[float]] = [[], []]
    for part in np.array_split(np.arange(len(batches)), rounds):
        for runner, spent in zip(runners, seconds, strict=True):
            spent.append(timed(runner.step, [batches[i] for i in part]))
    weights = sum(weight.numel() for weight in runners[0].model.parameters())
    print(f"{f'{weights:,} weights':34}{'ms a step':>10}{'spread':>18}{'test AUROC':>12}")
    for runner, spent in zip(runners, seconds, strict=True):
        spread = f"{1e3 * min(spent):.1f}-{1e3 * max(spent):.1f}"
        print(f"{runner.name:34}{1e3 * median(spent):10.1f}{spread:>18}{auroc(bench, runner.model):12.3f}")
    ratios = [plain / ours for plain, ours in zip(*seconds, strict=True)]
    print(f"ratio {median(ratios):.2f} (rounds {min(ratios):.2f}-{max(ratios):.2f})\n")


def timed(step: Callable[[Batch], float], batches: list[Batch]) -> float:
    """Seconds of one step."""
    start = perf_counter()
    for batch in batches:
        step(batch)
    return (perf_counter() - start) / len(batches)


def auroc(bench: Bench, model: Model) -> float:
    outputs = evaluate(model, bench.ready, bench.test).by_target["sick"]
    return float(roc_auc_score(bench.ready.questions["sick"].target.truth[bench.test.index], outputs.mean(axis=(1, 2))))


@contextmanager
def counted_steps() -> list[float]:
    """Seconds of every step that a fit takes."""
    seconds: list[float] = []
    step = Stepper.step

    def counting(self: Stepper, *arguments: object) -> torch.Tensor:
        start = perf_counter()
        loss = step(self, *arguments)
        seconds.append(perf_counter() - start)
        return loss

    Stepper.step = counting
    try:
        yield seconds
    finally:
        Stepper.step = step


def compare_fit(bench: Bench, what: str, rounds: int, epochs: int | str) -> None:
    shares = []
    for _ in range(rounds):
        with TemporaryDirectory() as folder, counted_steps() as seconds:
            settings = SETTINGS.model_copy(update={"epochs": epochs})
            start = perf_counter()
            fitted = fit(bench.model(), bench.ready, bench.rows, settings, seed=1, folder=Path(folder))
            shares.append((perf_counter() - start) / sum(seconds) - 1)
    spread = f"{min(shares):.1%} to {max(shares):.1%}"
    print(f"{what:34}{fitted.done:8}{len(seconds):8}{sum(seconds):10.1f}{median(shares):10.1%}   ({spread})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=Size, default=Size.LARGE, help="large is the ResNet-18 of the paper")
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=3)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        images = prepare(Path(folder) / "images", chosen.rows, "image")
        table = prepare(Path(folder) / "table", chosen.rows, "tabular")
        compare_steps(images, chosen.size, chosen.batch, chosen.rounds, chosen.epochs)
        print(f"{'whole fit over its bare steps':34}{'epochs':>8}{'steps':>8}{'seconds':>10}{'over':>10}")
        compare_fit(images, "images", max(1, chosen.rounds // 2), chosen.epochs)
        compare_fit(table, "table", chosen.rounds, "auto")


if __name__ == "__main__":
    main()
