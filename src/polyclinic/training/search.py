"""Trying settings on tune rows: learning rate, weight decay, dropout and size, by Optuna."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from shutil import rmtree
from typing import Any

from pydantic import BaseModel, ConfigDict

from polyclinic.cohort.rows import Inner
from polyclinic.errors import MissingPackage, StudyError
from polyclinic.formats.disk import write_file, writing_to
from polyclinic.model import build
from polyclinic.study.schema import ModelSection, Size, TrainingSection
from polyclinic.training import random_streams as chance
from polyclinic.training.epochs.loop import DIVERGED
from polyclinic.training.fit import fit
from polyclinic.training.progress import QUIET, Progress
from polyclinic.training.ready import Ready
from polyclinic.training.recipe import write_recipe

_RECORD = "trials.jsonl"
_RATE = (0.2, 5.0)
_L2 = (1e-4, 0.3)
_DROPOUT = (0.0, 0.5)


class Trial(BaseModel):
    """One set of settings that was tried.

    Attributes:
        learning_rate: Highest rate of the schedule.
        l2: Weight decay.
        dropout: Share left out, or None for each kind's own.
        size: The one dial.
        tune_loss: What it came to; infinite where the training failed.
        spent_s: Seconds that it took.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    learning_rate: float
    l2: float
    dropout: float | None
    size: Size
    tune_loss: float
    spent_s: float = 0.0


@dataclass(frozen=True)
class ChosenSettings:
    """The settings with the lowest tune loss.

    Attributes:
        model: As asked, with size and dropout chosen.
        training: As asked, with learning rate and weight decay chosen.
        trials: All that were tried, in order; the first one is the study's own settings.
    """

    model: ModelSection
    training: TrainingSection
    trials: tuple[Trial, ...]

    @property
    def spent_s(self) -> float:
        """Seconds of all trials."""
        return sum(trial.spent_s for trial in self.trials)


@dataclass(frozen=True)
class SettingsSearch:
    """Among which settings to search, and what they are compared on.

    Attributes:
        ready: Inputs and outcomes of all rows.
        rows: Which rows train, and which ones the trials are compared on.
        model: The [model] section.
        training: The [training] section; ``search`` says how many trials.
        seed: Decides what is tried, and every fit.
        folder: Where trials are kept, or None.
        cap_s: Most seconds for each trial, or None.
    """

    ready: Ready
    rows: Inner
    model: ModelSection
    training: TrainingSection
    seed: int
    folder: Path | None = None
    cap_s: float | None = None


def search(request: SettingsSearch, progress: Progress = QUIET) -> ChosenSettings:
    """Try settings and choose those with the lowest loss on tune rows.

    The first trial is the study as it stands, so the choice is never worse on tune rows. Then: learning rate from
    a fifth to five times the rule's, weight decay from 1e-4 to 0.3, dropout from 0 to 0.5 (each logarithmic but for
    the last), size as asked or a step smaller or larger. Called again in the same folder it goes on where it was.

    Source: tree-structured Parzen estimator, Bergstra et al., NeurIPS 2011, as in Optuna.

    Raises:
        MissingPackage: if Optuna is not installed.
        BundleError: if the record cannot be written.
    """
    trials = list(_read(request.folder))
    progress.start("search", request.training.search)
    for number in range(request.training.search):
        if number >= len(trials):
            trials.append(_try(request, _suggest(request, trials, number), number))
            _write(request.folder, trials)
        progress.advance(f"tune loss {trials[number].tune_loss:.4f}")
    progress.finish()
    best = min(trials, key=lambda trial: trial.tune_loss)
    return ChosenSettings(*_sections(request, best), tuple(trials))


def _suggest(request: SettingsSearch, trials: Sequence[Trial], number: int) -> Trial:
    """The next settings to try. The sampler is seeded anew each time, so a resumed search goes the same way."""
    own = _own(request)
    if number == 0:
        return own
    optuna = _optuna()
    sampler = optuna.samplers.TPESampler(seed=chance.derive(request.seed, chance.TRIAL, number))
    study, space = optuna.create_study(sampler=sampler), _space(optuna, own)
    for trial in trials:
        # What failed, or left dropout to each kind, has no place in the space.
        if trial.dropout is not None and isfinite(trial.tune_loss):
            tried = trial.model_dump(mode="json", exclude={"tune_loss", "spent_s"})
            study.add_trial(optuna.trial.create_trial(params=tried, distributions=space, value=trial.tune_loss))
    return Trial(**study.ask(space).params, tune_loss=inf)


def _own(request: SettingsSearch) -> Trial:
    """The study's own settings, "auto" spelled out."""
    model = build(request.ready.inputs, request.ready.heads, request.model, request.seed)
    recipe = write_recipe(model, request.training, len(request.rows.train), points=request.ready.view_points())
    section = request.model
    return Trial(
        learning_rate=recipe.learning_rate, l2=recipe.l2, dropout=section.dropout, size=section.size, tune_loss=inf
    )


def _space(optuna: Any, own: Trial) -> dict[str, Any]:
    sizes = list(Size)
    place = sizes.index(own.size)
    near = [size.value for size in sizes[max(0, place - 1) : place + 2]]
    low, high = (factor * own.learning_rate for factor in _RATE)
    return {
        "learning_rate": optuna.distributions.FloatDistribution(low, high, log=True),
        "l2": optuna.distributions.FloatDistribution(*_L2, log=True),
        "dropout": optuna.distributions.FloatDistribution(*_DROPOUT),
        "size": optuna.distributions.CategoricalDistribution(near),
    }


def _try(request: SettingsSearch, trial: Trial, number: int) -> Trial:
    """Train with the settings of a trial; what it came to."""
    section, training = _sections(request, trial)
    folder = None if request.folder is None else request.folder / f"trial-{number:03d}"
    model = build(request.ready.inputs, request.ready.heads, section, request.seed)
    try:
        fitted = fit(
            model, request.ready, request.rows, training, seed=request.seed, folder=folder, cap_s=request.cap_s
        )
    except StudyError as error:
        if {finding.name for finding in error.findings} != {DIVERGED}:
            raise
        return trial
    return trial.model_copy(update={"tune_loss": fitted.tune_loss, "spent_s": fitted.spent_s})


def _sections(request: SettingsSearch, trial: Trial) -> tuple[ModelSection, TrainingSection]:
    model = request.model.model_copy(update={"size": trial.size, "dropout": trial.dropout})
    update = {"learning_rate": trial.learning_rate, "l2": trial.l2, "search": 0}
    return model, request.training.model_copy(update=update)


def _read(folder: Path | None) -> list[Trial]:
    """The trials that are done."""
    path = None if folder is None else folder / _RECORD
    if path is None or not path.exists():
        return []
    return [Trial.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write(folder: Path | None, trials: Sequence[Trial]) -> None:
    """Keep the trials, and drop the weights of the last one."""
    if folder is None:
        return
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / _RECORD, "".join(f"{trial.model_dump_json()}\n" for trial in trials).encode())
    rmtree(folder / f"trial-{len(trials) - 1:03d}", ignore_errors=True)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingPackage("optuna", "search", "study.toml [training] search") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
