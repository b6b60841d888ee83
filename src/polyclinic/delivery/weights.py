"""The fitted models of a bundle: a plan in JSON and weights in safetensors. Loading runs no code from the file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from polyclinic.errors import BundleError, Finding
from polyclinic.formats.disk import write_file, writing_to

PLAN = "plan.json"
WEIGHTS = "weights.safetensors"

ModelPlan = TypeVar("ModelPlan", bound=BaseModel)


def fit_name(repeat: int, fold: int, member: int) -> str:
    """Folder of one fit: ``0-0-0`` is the first member of the first fold of the first repetition."""
    return f"{repeat}-{fold}-{member}"


def fits(model: Path) -> tuple[str, ...]:
    """Names of all fits in a ``model`` folder, in order of repetition, fold and member."""
    found = [entry.name for entry in model.iterdir() if re.fullmatch(r"\d+-\d+-\d+", entry.name)]
    return tuple(sorted(found, key=lambda name: [int(part) for part in name.split("-")]))


def save_model(model: Path, fit: str, plan: BaseModel, state: Mapping[str, Tensor]) -> None:
    """Write what one fit learned to ``model/<fit>``. The same plan and state give the same bytes.

    Raises:
        BundleError: if it cannot be written.
    """
    folder = model / fit
    with writing_to(model):
        folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: state[name].detach().cpu().clone().contiguous() for name in sorted(state)}
    write_file(folder / WEIGHTS, save(tensors))
    write_file(folder / PLAN, f"{plan.model_dump_json(indent=1)}\n".encode())


def load_model(model: Path, fit: str, plan: type[ModelPlan]) -> tuple[ModelPlan, dict[str, Tensor]]:
    """The plan and the weights that ``save_model`` wrote.

    Raises:
        BundleError: if a file is missing or cannot be understood.
    """
    path = model / fit / WEIGHTS
    try:
        weights = load(path.read_bytes())
        path = model / fit / PLAN
        return plan.model_validate_json(path.read_bytes()), {name: weights[name] for name in sorted(weights)}
    except (OSError, SafetensorError, ValidationError) as error:
        rule = "a fitted model is a plan and its weights, as the run wrote them"
        remedy = "Copy the bundle again, or run the study again."
        finding = Finding("damaged_model", str(path), rule, "the file is missing or damaged", remedy)
        raise BundleError(finding) from error
