"""From rows to weights: one network, fitted on training rows and judged on tune rows."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import nn

from polyclinic.cohort.rows import Inner
from polyclinic.errors import Finding, StudyError
from polyclinic.model import Model
from polyclinic.study.schema import TrainingSection
from polyclinic.training.batches.imbalance import check_imbalance
from polyclinic.training.batches.mixup import check_mixup
from polyclinic.training.batches.order import count_steps
from polyclinic.training.devices.distributed import launched, share_out
from polyclinic.training.devices.precision import Precision, choose_precision
from polyclinic.training.devices.process_group import ALONE, ProcessGroup, check_processes
from polyclinic.training.epochs.checkpoint import Epoch, Store
from polyclinic.training.epochs.loop import Ending, Trained, train
from polyclinic.training.epochs.state import best_weights
from polyclinic.training.epochs.task import Task
from polyclinic.training.epochs.tune_history import TuneHistory
from polyclinic.training.progress import QUIET, Progress
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import Recipe, write_recipe


@dataclass(frozen=True)
class Fitted:
    """A network with its best weights, and how they were found.

    To repeat the fit exactly, whatever stopped it: ``epochs = [recipe.epochs]``, ``stop_after = [done]`` and
    ``replanned = [replanned]``.

    Attributes:
        model: The network, on the processor, ready to answer.
        recipe: Every number of the fit.
        precision: Where and how it was computed.
        history: One entry per epoch.
        tune: What was said about the tune rows after every epoch.
        planned: Epochs of the schedule, as planned last.
        best: The epoch whose averaged weights were kept, from 1.
        ended: What ended it: the schedule, the patience, the cap in minutes, or a loss that ceased to be a number.
        spent_s: Seconds of training, over all interruptions. The only thing here that differs from run to run.
        findings: What the user should know.
    """

    model: Model
    recipe: Recipe
    precision: Precision
    history: tuple[Epoch, ...]
    tune: TuneHistory
    planned: int
    best: int
    ended: Ending
    spent_s: float
    findings: tuple[Finding, ...]

    @property
    def done(self) -> int:
        """Epochs that were really done."""
        return len(self.history)

    @property
    def replanned(self) -> tuple[int, ...]:
        """Length of the schedule at each epoch, where a cap in minutes changed it; else empty."""
        lengths = tuple(epoch.planned for epoch in self.history)
        return lengths if any(length != self.recipe.epochs for length in lengths) else ()

    @property
    def tune_loss(self) -> float:
        """Loss of the kept weights on the tune rows."""
        return self.history[self.best - 1].tune_loss


def fit(
    model: Model,
    ready: Ready,
    rows: Inner,
    settings: TrainingSection,
    *,
    seed: int,
    number: int = 0,
    folder: Path | None = None,
    cap_s: float | None = None,
    progress: Progress = QUIET,
) -> Fitted:
    """Find the weights of ``model``; the same model, rows, settings and seed give the same bytes.

    With a ``folder`` the state is kept there as the fit goes on. Called again with the same arguments after being
    killed, it goes on where it was and ends with the same bytes; called again after the end, it returns at once.

    Args:
        model: A network with its first weights. They are changed in place.
        ready: Inputs and outcomes of all rows.
        rows: Which rows train, and which ones decide when to stop.
        settings: The [training] section.
        seed: Decides order, dropout, augmentation, mixing and sampling.
        number: Which fit of the study this is, from 0 (see ``epochs`` and ``stop_after``).
        folder: Where the state is kept, or None.
        cap_s: Most seconds, or None; without effect where the study gives ``stop_after``.
        progress: Hears of every epoch; of nothing while several processes of our own are at work.

    Raises:
        StudyError: if a setting cannot be followed.
        BundleError: if the folder cannot be written, or holds the state of another fit.
    """
    recipe = write_recipe(model, settings, len(rows.train), number, ready.view_points())
    precision, slow = choose_precision(model, settings)
    group = launched()
    processes = settings.processes if group is None else group.size
    check_fit(model, ready, rows, recipe, processes)
    cap_s = None if recipe.stop_after is not None else cap_s
    task = Task(model, ready, rows, recipe, precision, seed, folder, cap_s)
    trained = train(task, group or ALONE, progress) if group or processes == 1 else _train_apart(task, processes)
    record = trained.record
    findings = [*slow, *check_imbalance(ready, rows.train, recipe.imbalance), *trained.findings]
    return Fitted(
        model=model,
        recipe=recipe,
        precision=precision,
        history=record.history,
        tune=trained.tune,
        planned=record.planned,
        best=record.best,
        ended=Ending(record.ended),
        spent_s=record.spent_s,
        findings=tuple(findings),
    )


def check_fit(model: nn.Module, ready: Ready, rows: Inner, recipe: Recipe, processes: int) -> None:
    """Refuse what cannot work, before anything is computed.

    Raises:
        StudyError: mixup where outcomes cannot be mixed, more processes than rows, a step with one row.
    """
    check_mixup(ready.heads, recipe.mixup)
    views = len(rows.train) * recipe.views
    smallest = views // count_steps(views, recipe.batch)
    check_processes(processes, smallest)
    if smallest < 2 and any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()):
        raise StudyError(_lone_rows(len(rows.train)))


def _train_apart(task: Task, processes: int) -> Trained:
    """In processes of our own; the weights come back through the folder."""
    if task.folder is None:
        with TemporaryDirectory() as folder:
            return _train_apart(replace(task, folder=Path(folder)), processes)
    trained: Trained = share_out(_train_part, (task,), processes, task.precision.device)
    kept, _ = Store(task.folder).load(trained.record.identity)
    assert kept is not None
    task.model.load_state_dict(best_weights(kept))
    task.model.eval()
    return trained


def _train_part(group: ProcessGroup, task: Task) -> Trained:
    return train(task, group, QUIET)


def _lone_rows(rows: int) -> Finding:
    return Finding(
        name="lone_rows",
        place="study.toml [training] batch",
        rule="this network needs at least two rows at every step",
        found=f"{rows} training rows in such steps leave a step with one",
        remedy="Set a larger batch, or collect more rows.",
    )
