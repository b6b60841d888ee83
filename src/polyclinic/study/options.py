"""The base of everything that can be written in a study file or kept in a plan: strict and frozen."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Field(gt=0)


class Section(BaseModel):
    """A table of the study file. Unknown keys are errors, text is never taken for a number, nothing changes later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class InputOptions(Section):
    """What every kind of input accepts; each kind adds its own keys."""

    missing: Literal["refuse", "allow"] = "refuse"
    """Whether a patient may lack this input altogether: "refuse", or "allow", which masks it."""


class TargetOptions(Section):
    """What every kind of target accepts; each kind adds its own keys."""

    weight: float = Field(default=1.0, gt=0)
    """How much this target counts in the loss when there are several."""


class Plan(BaseModel):
    """Constants that a kind learned from training rows; travels with the weights as JSON, never as code."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")
