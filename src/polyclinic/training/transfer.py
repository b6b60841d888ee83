"""Beginning with the weights of another model: whatever has the same name and shape."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from polyclinic.errors import Finding, StudyError
from polyclinic.study.schema import ModelSection

_PLACE = "study.toml [model] start_from"


def read_start(section: ModelSection) -> Mapping[str, Tensor] | None:
    """The weights that the study wants to begin with: a bundle's first fit, or a safetensors file; None without.

    Raises:
        StudyError: if there is no such file, or it holds no weights.
    """
    if section.start_from is None:
        return None
    path = Path(section.start_from)
    fits = sorted((path / "model").glob("*/*.safetensors")) if path.is_dir() else [path]
    if not fits or not fits[0].is_file():
        rule, remedy = "must be a bundle or a safetensors file", "Check the path."
        raise StudyError(Finding("no_weights", _PLACE, rule, "no such file", remedy))
    try:
        weights: dict[str, Tensor] = load_file(fits[0])
    except (SafetensorError, OSError) as error:
        rule, remedy = "must be a whole safetensors file", "Copy it again, or name another."
        raise StudyError(Finding("no_weights", _PLACE, rule, "it is damaged or of another kind", remedy)) from error
    return weights


def transfer(model: nn.Module, start: Mapping[str, Tensor]) -> int:
    """Copy the weights that fit into ``model``; returns how many did.

    Raises:
        StudyError: if none does.
    """
    own = model.state_dict()
    fitting = {name: value for name, value in start.items() if name in own and own[name].shape == value.shape}
    if not fitting:
        raise StudyError(
            Finding(
                name="nothing_to_transfer",
                place=_PLACE,
                rule="some weights must have the names and shapes that this model has",
                found=f"none of {len(start)} do",
                remedy="Use the same input names, kinds and size as the model you start from.",
            )
        )
    model.load_state_dict(own | fitting)
    return len(fitting)
