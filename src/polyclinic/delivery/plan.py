"""The plan of one trained network: everything but its weights, as JSON. Reading it back runs no code from the file."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from polyclinic.evidence.shift import ShiftReference
from polyclinic.heads.base import Head
from polyclinic.inputs.base import Input
from polyclinic.study import catalogue
from polyclinic.study.schema import ModelSection


class KindPlan(BaseModel):
    """An input or a head: its kind, the study's options for it, and what it learned from training rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    options: dict[str, Any]
    plan: dict[str, Any]


class EpochRecord(BaseModel):
    """Losses after one pass over the training rows."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    train_loss: float
    tune_loss: float


class FitRecord(BaseModel):
    """How the weights were found.

    Attributes:
        planned: Epochs that the recipe asks for.
        replanned: Length of the schedule at each epoch, where a cap in minutes changed it; else empty.
        done: Epochs really done.
        best: The epoch whose weights these are, from 1.
        ended: What ended it.
        precision: "fp32" or "bf16".
        weights: How many numbers were learned.
        history: One entry per epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    planned: int
    replanned: tuple[int, ...] = ()
    done: int
    best: int
    ended: str
    precision: str
    weights: int
    history: tuple[EpochRecord, ...]


class FitPlan(BaseModel):
    """One trained network without its weights.

    Attributes:
        model: Size and dropout.
        columns: Columns of the table that each input reads.
        inputs: By the user's names.
        heads: By the user's names.
        shift: Where the training patients lie.
        record: How the weights were found.
        crossed: How those of the networks were that left a part out, where this one was decided by them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelSection
    columns: dict[str, tuple[str, ...]]
    inputs: dict[str, KindPlan]
    heads: dict[str, KindPlan]
    shift: ShiftReference
    record: FitRecord
    crossed: tuple[FitRecord, ...] = ()

    @property
    def records(self) -> tuple[FitRecord, ...]:
        """Every fit behind this network, in order."""
        return (*self.crossed, self.record)


def plan_kinds(kinds: Mapping[str, Input] | Mapping[str, Head], words: Mapping[str, str]) -> dict[str, KindPlan]:
    """The plans of fitted kinds; ``words`` gives the kind of each by the user's name."""
    return {
        name: KindPlan(
            kind=words[name],
            options=kind.options.model_dump(mode="json"),
            plan=json.loads(kind.plan.model_dump_json()),
        )
        for name, kind in kinds.items()
    }


def revive_inputs(plans: Mapping[str, KindPlan]) -> dict[str, Input]:
    """Fitted inputs from their plans."""
    return {name: _revive("inputs", name, plan) for name, plan in plans.items()}


def revive_heads(plans: Mapping[str, KindPlan]) -> dict[str, Head]:
    """Fitted heads from their plans."""
    return {name: _revive("heads", name, plan) for name, plan in plans.items()}


def _revive(axis: catalogue.Axis, name: str, plan: KindPlan) -> Any:
    kind = catalogue.find(axis, plan.kind)
    # By way of JSON, because there strict schemas still take a list for a tuple.
    options = kind.Options.model_validate_json(json.dumps(plan.options))
    return kind(name, options, kind.Plan.model_validate_json(json.dumps(plan.plan)))
