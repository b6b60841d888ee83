"""A trained model opened: plans and weights of all its networks in memory, to be asked as often as one likes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter
from torch import Tensor

from polyclinic.delivery.bundle import Bundle
from polyclinic.delivery.forms.base import AnswerLimits
from polyclinic.delivery.plan import FitPlan, revive_heads, revive_inputs
from polyclinic.delivery.weights import fits, load_model
from polyclinic.evidence.records import OperatingPoint
from polyclinic.heads.base import Head
from polyclinic.inputs.base import Input
from polyclinic.model import Model, build
from polyclinic.predictions.record import Predictions
from polyclinic.predictions.table import load as load_predictions
from polyclinic.study.read import read_study
from polyclinic.study.schema import Study


@dataclass(frozen=True)
class OpenedFit:
    """One trained network.

    Attributes:
        plan: Everything but its weights, as it was kept.
        inputs: Fitted kinds of input by the user's names.
        heads: Fitted and calibrated kinds of question by the user's names.
        model: The network with its weights, ready to answer.
    """

    plan: FitPlan
    inputs: Mapping[str, Input]
    heads: Mapping[str, Head]
    model: Model

    @classmethod
    def revive(cls, plan: FitPlan, weights: Mapping[str, Tensor]) -> "OpenedFit":
        """The network from its plan and its weights."""
        inputs, heads = revive_inputs(plan.inputs), revive_heads(plan.heads)
        model = build(inputs, heads, plan.model, seed=0)
        model.load_state_dict(weights)
        return cls(plan, inputs, heads, model.eval())


@dataclass(frozen=True)
class OpenedModel:
    """All trained networks of a bundle, and what it takes to trust their answers.

    Attributes:
        study: As it was run.
        fits: In order of repetition, fold and member; never empty.
        tune: Answers for the tune rows, from which intervals come.
        points: The operating point that the run recorded, by target; none where it has no threshold.
    """

    study: Study = field(repr=False)
    fits: tuple[OpenedFit, ...] = field(repr=False)
    tune: Predictions = field(repr=False)
    points: Mapping[str, OperatingPoint] = field(repr=False)

    def limits(self, target: str) -> AnswerLimits:
        """What answers to this question are held against."""
        evidence = self.study.evidence
        tune = self.tune.answers[target]
        return AnswerLimits(tune, evidence.confidence, self.points.get(target), evidence.rule_of(target))


def open_model(bundle: Bundle) -> OpenedModel:
    """Everything that answering for new patients takes from a bundle.

    Raises:
        BundleError: if a file of it is missing or damaged.
        StudyError: if a kind of input or question is no longer installed.
    """
    study = read_study(bundle.file("study.toml"))
    folder = bundle.folder / "model"
    names = fits(folder)
    [known] = load_predictions(bundle.file("predictions.parquet"))
    opened = tuple(OpenedFit.revive(*load_model(folder, name, FitPlan)) for name in names)
    return OpenedModel(study, opened, known.part("tune"), _points(bundle.file("evidence.json")))


def _points(evidence: Path) -> dict[str, OperatingPoint]:
    """The operating points that stand in ``evidence.json``, by target."""
    targets = json.loads(evidence.read_bytes())["targets"]
    written = {name: target.get("operating_point") for name, target in targets.items()}
    return {name: TypeAdapter(OperatingPoint).validate_python(point) for name, point in written.items() if point}
