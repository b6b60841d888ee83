"""Public weights from a local file into a network of ours, by name; what does not fit is a finding, never skipped."""

from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float, Shaped
from safetensors.torch import load_file
from torch import Tensor

from polyclinic.errors import Finding, ReadError
from polyclinic.layers.pictures import backbones
from polyclinic.layers.pictures.backbone import Backbone
from polyclinic.layers.pictures.backbones import Architecture, Blueprint

_WRAPPERS = ("state_dict", "model", "model_state_dict")
_MOST_NAMED = 4  # names in a message before "..."; enough to recognise the network


class WeightsDiffer(ValueError):
    """A file of weights cannot be read, or does not fit the network."""


def public_shape(
    place: str, architecture: Architecture, channels: int, extent: tuple[int, int], start: Path
) -> Blueprint:
    """The shape of the network in a file of weights; a file that does not fit is found now, not after an hour.

    Args:
        place: Section of the study file, for the message.
        architecture: The network that is asked for.
        channels: Of the pictures.
        extent: Height and width of the pictures.
        start: The file.

    Raises:
        ReadError: if it cannot be read or does not fit.
    """
    try:
        state = read_weights(start)
        blueprint = backbones.public(architecture, channels, extent, state)
        adopt(backbones.build(blueprint), state)
    except WeightsDiffer as error:
        raise _misfit(place, error) from None
    return blueprint


def start_from(place: str, network: Backbone, start: Path) -> None:
    """Give a network the weights of a file.

    Raises:
        ReadError: if they cannot be read or do not fit.
    """
    try:
        adopt(network, read_weights(start))
    except WeightsDiffer as error:
        raise _misfit(place, error) from None


def read_weights(path: Path) -> dict[str, Shaped[Tensor, "..."]]:
    """The tensors in a .safetensors file, or in a .pth file read without running any code from it.

    Raises:
        WeightsDiffer: no such file, a damaged one, or one that holds more than tensors.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsDiffer("there is no such file") from None
    except Exception as error:  # torch raises anything at all on a damaged file
        raise WeightsDiffer(f"it cannot be read as tensors ({type(error).__name__})") from None
    for wrapper in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(wrapper), Mapping):
            found = found[wrapper]
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise WeightsDiffer("it holds something else than named tensors")
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def adopt(network: Backbone, state: Mapping[str, Shaped[Tensor, "..."]]) -> None:
    """Give ``network`` the public weights: classifier dropped, first convolution fitted to the image's channels.

    Raises:
        WeightsDiffer: if weights are missing, left over, or of another shape; all are counted, some are named.
    """
    renamed = network.rename(state)
    ours = network.state_dict()
    fitting = {name: value for name, value in renamed.items() if not name.startswith(network.CLASSIFIER)}
    if network.FIRST in fitting:
        fitting[network.FIRST] = fit_channels(fitting[network.FIRST], ours[network.FIRST].shape[1])
    # A counter of steps that weights from before 2018 lack; nothing reads it while the momentum is fixed.
    fitting = {n: v for n, v in ours.items() if n.endswith("num_batches_tracked")} | fitting
    _check(ours, fitting)
    network.load_state_dict(fitting)


def fit_channels(weight: Float[Tensor, "out channel height wide"], channels: int) -> Float[Tensor, "out _ height wide"]:
    """First-layer weights for another number of channels: the answer to a grey image stays the same."""
    if weight.shape[1] == channels:
        return weight
    total = weight.sum(dim=1, keepdim=True)
    return (total / channels).expand(-1, channels, -1, -1).clone()


def _misfit(place: str, error: WeightsDiffer) -> ReadError:
    rule = "the file must hold the public weights of this encoder"
    remedy = "Check the file and the encoder."
    return ReadError(Finding("weights_differ", f"{place} weights", rule, str(error), remedy))


def _check(ours: Mapping[str, Shaped[Tensor, "..."]], fitting: Mapping[str, Shaped[Tensor, "..."]]) -> None:
    missing = [name for name in ours if name not in fitting]
    spare = [name for name in fitting if name not in ours]
    shapes = [name for name in ours if name in fitting and fitting[name].shape != ours[name].shape]
    words = (("missing", missing), ("left over", spare), ("of another shape", shapes))
    faults = [f"{len(names)} {word} ({_some(names)})" for word, names in words if names]
    if faults:
        raise WeightsDiffer("; ".join(faults))


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
