"""Pictures, one per row: radiographs, ultrasound, photographs, single DICOM images, of any size and depth."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Generator

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import ReadError, Severity, stop_on
from polyclinic.geometry import Known
from polyclinic.inputs.base import LocatedFiles, Prepared, PreparedGrids, learned
from polyclinic.layers.maps.grid_encoder import GridEncoder
from polyclinic.layers.maps.unet import ResidualUNet, Stages
from polyclinic.layers.pictures import backbones
from polyclinic.layers.pictures.backbones import Architecture, Blueprint
from polyclinic.layers.pictures.jitter import Jitter, jitter
from polyclinic.layers.pictures.picture_views import PictureViewer
from polyclinic.layers.pictures.public_weights import public_shape, start_from
from polyclinic.records import preparation_notes as preparation
from polyclinic.records.base import ColumnCells
from polyclinic.records.examples import pictures as synthetic_pictures
from polyclinic.records.images import resampled
from polyclinic.records.images.decoded import decode
from polyclinic.records.images.findings import FILES
from polyclinic.records.images.pictures import Pictures, channels_for, extent_for, pair
from polyclinic.records.images.stack import Stack, intensity, stack
from polyclinic.records.network_shape import fit_steps, picture_steps
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoder, GridTensors, Movement, Sight

Side = Annotated[int, Field(ge=8, le=1024)]
Share = Annotated[float, Field(ge=0, lt=1)]


class ImageOptions(InputOptions):
    """[inputs.<name>] with kind = "image"."""

    column: str
    """Column with the path of each image, relative to the table's folder, or "file.npz#array[index]"."""
    size: Literal["auto"] | Side | tuple[Side, Side] = "auto"
    """Pixels on each side, or height and width; "auto" follows the training images, up to 128."""
    colour: Literal["auto", "grey", "rgb"] = "auto"
    """"grey", "rgb", or "auto": colour if any training image has colour."""
    scale: Annotated[float, Field(gt=0, le=4)] = 1.0
    """For a question asked at every point: 1 = pixels as in the file, 0.5 = half as many along each side."""
    patch: Literal["auto"] | Side | tuple[Side, Side] = "auto"
    """For such a question: pixels of the part that is looked at in one go; "auto" is 128, less for small images."""
    window: Literal["file", "none"] | tuple[float, Annotated[float, Field(gt=0)]] = "file"
    """DICOM only: the window in the file, "none" (the measured values), or centre and width such as [40, 400]."""
    encoder: Literal["auto", "resnet18", "resnet34", "resnet50", "densenet121", "convnext", "vit"] = "auto"
    """Network; "auto" is "resnet18"."""
    weights: str | None = None
    """Local file of public weights (.safetensors or .pth) to start from, relative to the table's folder."""
    flips: Literal["none", "horizontal", "both"] = "none"
    """Mirror images while training? Only where left and right (and top and bottom) mean nothing."""
    mirror_answers: bool = True
    """For such a question: where ``flips`` allows it, also ask about mirrored parts and average; takes longer."""
    rotations: Literal["none", "quarter"] = "none"
    """Turn images by quarters while training? Only where up and down mean nothing, as under a microscope."""
    shift: Share = 0.08
    """Furthest shift while training, as a share of the side."""
    zoom: Share = 0.1
    """Furthest enlargement or reduction while training, as a share."""
    tilt: Annotated[float, Field(ge=0, le=180)] = 8.0
    """Furthest rotation while training, in degrees."""
    brightness: Annotated[float, Field(ge=0)] = 0.1
    """Furthest change of brightness while training, in standard deviations of the training images."""
    contrast: Share = 0.1
    """Furthest change of contrast while training, as a share."""
    erase: Share = 0.0
    """Share of images of which a rectangle is greyed out while training."""


class ImagePlan(Plan):
    """Constants from training rows.

    Attributes:
        height: Pixels that the network takes.
        width: The same across.
        channels: 1 = grey, 3 = colour.
        mean: Mean of each channel, as a fraction from black to white.
        spread: Standard deviation of each channel.
        architecture: The network.
        public: Its exact shape where public weights ask for one; else it follows from the size dial.
        dense: Whether a question is asked at every point: then the network is a U-Net.
        scale: Pixels of its grid per pixel of the file.
        patch: Height and width of its views.
    """

    height: int
    width: int
    channels: int
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    architecture: Architecture
    public: Blueprint | None = None
    dense: bool = False
    scale: float = 1.0
    patch: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class WholePictures(Prepared):
    """Pictures that are looked at as a whole.

    Attributes:
        stack: All of them at one size.
        mean: Mean of each channel, as a fraction from black to white.
        spread: Standard deviation of each channel.
        strength: How far pictures may change while training.
    """

    stack: Stack
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    strength: Jitter

    def collate(self, index: Int[np.ndarray, " batch"]) -> GridTensors:
        """Some rows, scaled; laid out channels last, as convolutions on a processor like it."""
        pixels, present = self.stack.take(index, self.mean, self.spread)
        return GridTensors(torch.from_numpy(present), torch.from_numpy(pixels).permute(0, 3, 1, 2))

    def augment(self, tensors: GridTensors, generator: Generator) -> tuple[GridTensors, Movement]:
        """Small shifts, zooms, rotations and changes of light, and what else the options allow."""
        pixels, affine = jitter(tensors.values, self.strength, generator)
        return replace(tensors, values=pixels), STILL if affine is None else Movement(affine=affine)


@dataclass(frozen=True)
class PictureParts(WholePictures, PreparedGrids):
    """Pictures on which it is asked where something is: parts of them, and the whole for other questions."""

    def values(self, row: int) -> Float[np.ndarray, "channel height width"]:
        """The whole image of a row, scaled; none of it where absent."""
        return np.moveaxis(self.grids.cut(row, (0, 0), self.grids.shape(row) or (0, 0)), 2, 0)


_BASE = {Size.TINY: 8, Size.SMALL: 16, Size.MEDIUM: 32, Size.LARGE: 48}
"""Features of the finest stage of the U-Net; round numbers."""
_WIDEST = 256
"""Most features of a stage. A round number, not a tuned one."""
_STEPS = {Size.TINY: 0, Size.SMALL: 1, Size.MEDIUM: 2, Size.LARGE: 3}
"""Size of the network as ``backbones.scratch`` counts it."""
_DROPOUT = 0.2
"""A round number; no measurement of it is on record."""
_AMOUNTS = {"shift", "zoom", "tilt", "brightness", "contrast", "erase"}


@final
class Image(LocatedFiles):
    """Pictures, one per row."""

    Options = ImageOptions
    Plan = ImagePlan
    options: ImageOptions
    plan: ImagePlan | None
    start: Path | None = None
    """File of public weights, known after ``fit``. A bundle does not know it: its weights are its own."""
    ground = "picture"

    def read(self, cells: ColumnCells) -> Pictures:
        """Paths to pixels.

        Raises:
            CohortError: no such column, or cells that are no text.
            ReadError: unusable files, unless a patient may lack this input.
        """
        options = self.options
        pictures = Pictures(
            name=self.name,
            decoded=decode(self.paths(cells, "images"), cells.folder, cells.cache, options.window),
            place=f'{cells.table} column "{self.file_column}"',
            folder=cells.folder,
            cache=cells.cache,
            required=options.missing == "refuse",
            encoder_idle=self.dense and (options.encoder != "auto" or options.weights is not None),
        )
        if pictures.required:
            stop_on(FILES.unusable(pictures.decoded, pictures.place, Severity.ERROR), ReadError)
        return pictures

    def fit(self, records: Pictures, rows: TrainRows) -> Self:
        """Size, colours and intensity from training rows only.

        Raises:
            ReadError: if the public weights cannot be read or do not fit the network.
        """
        seen = [int(row) for row in rows.index if records.decoded.entry[row] >= 0]
        channels = channels_for(self.options.colour, records.decoded, seen)
        height, width = extent_for(self.options.size, records.decoded, seen)
        mean, spread = intensity(records.decoded, seen, channels)
        patch = (0, 0)
        if self.dense:
            usual = resampled.choose_patch(records.decoded, seen, self.options.scale)
            patch = fit_steps(pair(self.options.patch, usual) or usual)
            height, width = fit_steps((height, width))
        architecture: Architecture = "resnet18" if self.options.encoder == "auto" else self.options.encoder
        start = records.folder / self.options.weights if self.options.weights and not self.dense else None
        place = f"[inputs.{self.name}]"
        public = public_shape(place, architecture, channels, (height, width), start) if start else None
        plan = ImagePlan(
            height=height,
            width=width,
            channels=channels,
            mean=mean,
            spread=spread,
            architecture=architecture,
            public=public,
            dense=self.dense,
            scale=self.options.scale,
            patch=patch,
        )
        fitted = type(self)(self.name, self.options, plan)
        fitted.start = start
        return fitted

    def prepare(self, records: Pictures) -> Prepared:
        """Every image at the size of the network; in a file of the cache where they are too many for memory."""
        plan, options = learned(self.plan), self.options
        whole = stack(records.decoded, (plan.height, plan.width), plan.channels, records.cache)
        mirror, overturn, quarters = options.flips != "none", options.flips == "both", options.rotations == "quarter"
        amounts = options.model_dump(include=_AMOUNTS)
        strength = Jitter(mirror=mirror, overturn=overturn, quarters=quarters, **amounts)
        if not plan.dense:
            return WholePictures(whole, plan.mean, plan.spread, strength)
        intensity_of = (plan.mean, plan.spread)
        grids = resampled.resample_pictures(records.decoded, plan.scale, plan.channels, intensity_of, records.cache)
        viewer = PictureViewer(plan.patch, strength)
        return PictureParts(grids, viewer, _flips(options), whole, plan.mean, plan.spread, strength)

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From pixels to one token, and feature maps."""
        plan = learned(self.plan)
        extent = (plan.height, plan.width)
        if plan.dense:
            return GridEncoder(ResidualUNet(self._stages(size)), width, _DROPOUT if dropout is None else dropout)
        blueprint = plan.public or backbones.scratch(plan.architecture, plan.channels, extent, _STEPS[size])
        network = backbones.build(blueprint)
        if self.start is not None:
            start_from(f"[inputs.{self.name}]", network, self.start)
        return GridEncoder(network, width, _DROPOUT if dropout is None else dropout)

    def sight(self, size: Size) -> Sight:
        """What the maps of the way up of the U-Net look like."""
        stages = self._stages(size)
        return Sight(2, stages.widths, stages.total_strides())

    @classmethod
    def example_known(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any], list[Known]]:
        """Noise of several sizes with a spot that is the brighter the higher the signal, and one that is idle."""
        paths, known = synthetic_pictures.write(rng, signal, folder, name)
        return pl.DataFrame({f"{name}_path": paths}), {"column": f"{name}_path"}, list(known)

    def _stages(self, size: Size) -> Stages:
        plan = learned(self.plan)
        strides, kernels = picture_steps(plan.patch)
        widths = tuple(min(_WIDEST, _BASE[size] * 2**n) for n in range(len(strides)))
        blocks = tuple(2 if size is not Size.TINY and n > 1 else 1 for n in range(len(strides)))
        return Stages(plan.channels, widths, strides, kernels, blocks)

    def parameters_note(self) -> Iterator[str]:
        """How images were prepared and changed while training."""
        plan, options = learned(self.plan), self.options
        if plan.dense:
            yield preparation.parts_of_pictures(plan.channels, plan.scale, plan.patch)
        else:
            yield preparation.whole_pictures(plan.channels, (plan.height, plan.width))
        yield preparation.STANDARDISED
        allowed = (options.shift, options.zoom, options.tilt)
        yield preparation.changed_pictures(*allowed, options.flips, options.rotations)
        if plan.dense and _flips(options):
            yield preparation.MIRRORED


def _flips(options: ImageOptions) -> tuple[int, ...]:
    """Axes along which windows are mirrored to answer: those that the flips while training allow."""
    axes = {"none": (), "horizontal": (1,), "both": (0, 1)}[options.flips]
    return axes if options.mirror_answers else ()
