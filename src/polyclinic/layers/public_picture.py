"""Public weights as the start of a picture network; a file that does not fit is told as a finding."""

from pathlib import Path

from polyclinic.errors import Finding, ReadError
from polyclinic.layers import backbones
from polyclinic.layers.backbone import Backbone
from polyclinic.layers.backbones import Architecture, Blueprint
from polyclinic.layers.public import WeightsDiffer, adopt, read_weights


def public_shape(
    place: str, architecture: Architecture, channels: int, extent: tuple[int, int], start: Path
) -> Blueprint:
    """The shape of the network in a file of weights; a file that does not fit is told now, not after an hour.

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


def _misfit(place: str, error: WeightsDiffer) -> ReadError:
    rule = "the file must hold the public weights of this encoder"
    remedy = "Check the file and the encoder."
    return ReadError(Finding("weights_differ", f"{place} weights", rule, str(error), remedy))
