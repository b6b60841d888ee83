"""Pictures, one per row: radiographs, ultrasound, photographs, single DICOM images, of any size and depth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self, final

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float, Int, Shaped, UInt64
from PIL import Image as Pillow
from pydantic import Field
from torch import Generator, Tensor, nn

from polyclinic.cohort.columns import absent_column
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, Finding, ReadError, Severity, stop_on
from polyclinic.inputs.base import Cells, Features, Kind, Picture
from polyclinic.layers import backbones
from polyclinic.layers.backbone import Backbone
from polyclinic.layers.backbones import Architecture, Blueprint
from polyclinic.layers.jitter import Jitter, jitter
from polyclinic.layers.public import WeightsDiffer, adopt, read_weights
from polyclinic.readers import doubts, features, likeness, png
from polyclinic.readers.decode import Decoded, decode
from polyclinic.readers.frames import Frame
from polyclinic.readers.stack import Stack, common_extent, has_colour, intensity, stack
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import STILL, Encoded, InputTensors, Movement

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
    window: Literal["file", "none"] | tuple[float, Annotated[float, Field(gt=0)]] = "file"
    """DICOM only: the window in the file, "none" (the measured values), or centre and width such as [40, 400]."""
    encoder: Literal["auto", "resnet18", "resnet34", "resnet50", "densenet121", "convnext", "vit"] = "auto"
    """Network; "auto" is "resnet18"."""
    weights: str | None = None
    """Local file of public weights (.safetensors or .pth) to start from, relative to the table's folder."""
    flips: Literal["none", "horizontal", "both"] = "none"
    """Mirror images while training? Only where left and right (and top and bottom) mean nothing."""
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
    """

    height: int
    width: int
    channels: int
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    architecture: Architecture
    public: Blueprint | None = None


@dataclass(frozen=True)
class Pictures:
    """The images of a column as read, all rows.

    Attributes:
        decoded: Pixels, by row.
        place: Table and column, for messages.
        folder: Folder of the table.
        cache: Folder for prepared images, or None.
    """

    decoded: Decoded
    place: str
    folder: Path
    cache: Path | None

    def __len__(self) -> int:
        return len(self.decoded)

    def frames(self) -> Iterator[Frame | None]:
        """Every row's image, None where absent."""
        return (self.decoded.frame(row) for row in range(len(self)))


@dataclass(frozen=True)
class ImageTensors(InputTensors):
    """A batch of images, mean 0 and standard deviation 1 over the training rows; 0 where absent."""

    pixels: Float[Tensor, "batch channel height width"]


_STEPS = {Size.TINY: 0, Size.SMALL: 1, Size.MEDIUM: 2, Size.LARGE: 3}
_DROPOUT = 0.2


@final
class Image(Kind):
    """Pictures, one per row."""

    Options = ImageOptions
    Plan = ImagePlan
    options: ImageOptions
    plan: ImagePlan | None
    start: Path | None = None
    """File of public weights, known after ``fit``. A bundle does not know it: its weights are its own."""

    def columns(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """The column of paths."""
        return (self.options.column,)

    def read(self, cells: Cells) -> Pictures:
        """Paths to pixels.

        Raises:
            CohortError: no such column, or cells that are no text.
            ReadError: unusable files, unless a patient may lack this input.
        """
        column = self.options.column
        stop_on(_column_findings(self.name, cells, column), CohortError)
        decoded = decode(cells.frame[column].cast(pl.String).to_list(), cells.folder, cells.cache, self.options.window)
        pictures = Pictures(decoded, f'{cells.table} column "{column}"', cells.folder, cells.cache)
        if self.options.missing == "refuse":
            stop_on(doubts.unusable(decoded, pictures.place, Severity.ERROR), ReadError)
        return pictures

    def check(self, records: Pictures) -> list[Finding]:
        """Absent and unusable images, images of one colour, very small ones, mixed depths."""
        lacking = Severity.ERROR if self.options.missing == "refuse" else Severity.NOTE
        return [
            *doubts.unusable(records.decoded, records.place, Severity.WARNING),
            *doubts.absent(records.decoded, records.place, lacking),
            *doubts.doubtful(records.decoded, records.place),
        ]

    def fit(self, records: Pictures, rows: TrainRows) -> Self:
        """Size, colours and intensity from training rows only.

        Raises:
            ReadError: if the public weights cannot be read or do not fit the network.
        """
        seen = [int(row) for row in rows.index if records.decoded.entry[row] >= 0]
        channels = _channels(self.options.colour, records.decoded, seen)
        height, width = _extent(self.options.size, records.decoded, seen)
        mean, spread = intensity(records.decoded, seen, channels)
        architecture: Architecture = "resnet18" if self.options.encoder == "auto" else self.options.encoder
        start = records.folder / self.options.weights if self.options.weights else None
        public = _public_shape(self.name, architecture, channels, (height, width), start) if start else None
        plan = ImagePlan(
            height=height,
            width=width,
            channels=channels,
            mean=mean,
            spread=spread,
            architecture=architecture,
            public=public,
        )
        fitted = type(self)(self.name, self.options, plan)
        fitted.start = start
        return fitted

    @property
    def learned(self) -> ImagePlan:
        """The plan of a fitted input."""
        assert self.plan is not None, "fit first"
        return self.plan

    def prepare(self, records: Pictures) -> Stack:
        """Every image at the size of the network; in a file of the cache where they are too many for memory."""
        plan = self.learned
        return stack(records.decoded, (plan.height, plan.width), plan.channels, records.cache)

    def collate(self, ready: Stack, index: Int[np.ndarray, " batch"]) -> ImageTensors:
        """Some rows, scaled; laid out channels last, as convolutions on a processor like it."""
        pixels, present = ready.take(index, self.learned.mean, self.learned.spread)
        return ImageTensors(torch.from_numpy(present), torch.from_numpy(pixels).permute(0, 3, 1, 2))

    def augment(self, tensors: ImageTensors, generator: Generator) -> tuple[ImageTensors, Movement]:
        """Small shifts, zooms, rotations and changes of light, and what else the options allow."""
        pixels, affine = jitter(tensors.pixels, _strength(self.options), generator)
        return replace(tensors, pixels=pixels), STILL if affine is None else Movement(affine=affine)

    def encoder(self, width: int, size: Size, dropout: float | None) -> nn.Module:
        """From pixels to one token, and feature maps."""
        plan = self.learned
        extent = (plan.height, plan.width)
        blueprint = plan.public or backbones.scratch(plan.architecture, plan.channels, extent, _STEPS[size])
        network = backbones.build(blueprint)
        if self.start is not None:
            _adopt(self.name, network, self.start)
        return _Encoder(network, width, _DROPOUT if dropout is None else dropout)

    def summarise(self, records: Pictures) -> Features:
        """Thumbnail, histogram and edges; NaN where absent."""
        nothing = np.full(len(features.NAMES), np.nan)
        rows = [nothing if frame is None else features.describe(frame) for frame in records.frames()]
        matrix = np.stack(rows) if rows else np.empty((0, len(nothing)))
        return Features(matrix, features.NAMES, (False,) * len(features.NAMES))

    def fingerprints(self, records: Pictures) -> UInt64[np.ndarray, " sample"]:
        """Equal numbers for images that are the same, also after another encoding; 0 where absent."""
        return likeness.fingerprints(records.frames())

    def properties(self, records: Pictures) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
        """Format, mode, depth, size, compression and maker of the files; empty where absent."""
        found = [frame.facts if frame else None for frame in records.frames()]
        fields = ("format", "mode", "bits", "bytes", "width", "height", "origin")
        empty = {"format": "", "mode": "", "origin": ""}
        return {
            field: np.array([getattr(facts, field) if facts else empty.get(field, 0) for facts in found])
            for field in fields
        }

    def show(self, records: Pictures, position: int, attribution: np.ndarray | None = None) -> Picture:
        """The image, with heat laid over where an explanation points: red raises, blue lowers the answer."""
        frame = records.decoded.frame(position)
        if frame is None:
            return Picture("text/html", b"<p>no image</p>", self.name)
        return Picture("image/png", png.draw(frame, attribution), self.name)

    @classmethod
    def example(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any]]:
        """Grey noise of several sizes with a spot in the upper left quarter, the brighter the higher the signal.

        A second spot in the lower right quarter has a brightness that means nothing.
        """
        (folder / name).mkdir(parents=True, exist_ok=True)
        paths = []
        for number, value in enumerate(signal):
            path = f"{name}/{number:05d}.png"
            Pillow.fromarray(_example_pixels(rng, float(value))).save(folder / path)
            paths.append(path)
        return pl.DataFrame({f"{name}_path": paths}), {"column": f"{name}_path"}

    def parameters_note(self) -> Iterator[str]:
        """How images were prepared and changed while training."""
        plan, options = self.learned, self.options
        colour = "grey" if plan.channels == 1 else "colour"
        yield f"Images were brought to {plan.height} x {plan.width} pixels in {colour}, their shape kept."
        yield "Intensities were centred and scaled by the mean and standard deviation of the training images."
        yield (
            f"While training, images were shifted up to {options.shift:.0%}, zoomed up to {options.zoom:.0%}, tilted "
            f"up to {options.tilt:g} degrees; flips: {options.flips}; rotations by quarters: {options.rotations}."
        )


def _strength(options: ImageOptions) -> Jitter:
    return Jitter(
        shift=options.shift,
        zoom=options.zoom,
        tilt=options.tilt,
        mirror=options.flips != "none",
        overturn=options.flips == "both",
        quarters=options.rotations == "quarter",
        brightness=options.brightness,
        contrast=options.contrast,
        erase=options.erase,
    )


class _Encoder(nn.Module):
    """Image network, dropout, and a layer to the common width of tokens."""

    def __init__(self, network: Backbone, width: int, dropout: float) -> None:
        super().__init__()
        self.network = network
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(network.width, width)

    def forward(self, tensors: ImageTensors) -> Encoded:
        present = tensors.present
        # An absent image is a grey plane: while training it must not enter the batch statistics of the others.
        if self.training and not bool(present.all()):
            return self._some(tensors.pixels, present)
        seen = self.network(tensors.pixels)
        return Encoded(self.out(self.drop(seen.pooled))[:, None], present[:, None], seen.maps)

    def _some(self, pixels: Float[Tensor, "batch _ _ _"], present: Bool[Tensor, " batch"]) -> Encoded:
        rows = present.nonzero()[:, 0]
        if len(rows) == 0:
            empty = pixels.new_zeros(len(pixels), 1, self.out.out_features)
            return Encoded(empty, present[:, None])
        seen = self.network(pixels[rows])
        tokens = self.out(self.drop(seen.pooled))
        maps = tuple(one.new_zeros(len(pixels), *one.shape[1:]).index_copy(0, rows, one) for one in seen.maps)
        whole = tokens.new_zeros(len(pixels), tokens.shape[1]).index_copy(0, rows, tokens)
        return Encoded(whole[:, None], present[:, None], maps)


def _column_findings(name: str, cells: Cells, column: str) -> list[Finding]:
    if column not in cells.frame.columns:
        return [absent_column(f"[inputs.{name}] column", column, cells.frame.columns)]
    if cells.frame[column].dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        place, rule = f'{cells.table} column "{column}"', "a column of images must hold paths"
        return [Finding("not_paths", place, rule, "it does not hold text", "Name the column of paths.")]
    return []


def _channels(asked: str, decoded: Decoded, rows: list[int]) -> int:
    if asked == "auto":
        return 3 if has_colour(decoded, rows) else 1
    return 3 if asked == "rgb" else 1


def _extent(asked: str | int | tuple[int, int], decoded: Decoded, rows: list[int]) -> tuple[int, int]:
    if isinstance(asked, tuple):
        return asked
    return (asked, asked) if isinstance(asked, int) else common_extent(decoded, rows)


def _public_shape(
    name: str, architecture: Architecture, channels: int, extent: tuple[int, int], start: Path
) -> Blueprint:
    """The shape of the network in a file of weights; a file that does not fit is told now, not after an hour."""
    try:
        state = read_weights(start)
        blueprint = backbones.public(architecture, channels, extent, state)
        adopt(backbones.build(blueprint), state)
    except WeightsDiffer as error:
        raise _misfit(name, error) from None
    return blueprint


def _adopt(name: str, network: Backbone, start: Path) -> None:
    try:
        adopt(network, read_weights(start))
    except WeightsDiffer as error:
        raise _misfit(name, error) from None


def _misfit(name: str, error: WeightsDiffer) -> ReadError:
    rule = "the file must hold the public weights of this encoder"
    place, remedy = f"[inputs.{name}] weights", "Check the file and the encoder."
    return ReadError(Finding("weights_differ", place, rule, str(error), remedy))


def _example_pixels(rng: np.random.Generator, value: float) -> Shaped[np.ndarray, "height width"]:
    height, width = (int(side) for side in rng.integers(26, 35, size=2))
    row, column = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    told, idle = (np.exp(-((row - at) ** 2 + (column - at) ** 2) / 0.012) for at in (0.3, 0.7))
    level = 90 + 12 * rng.standard_normal((height, width))
    level += told * (60 + 25 * np.clip(value, -2.5, 2.5)) + idle * (60 + 25 * rng.standard_normal())
    return np.clip(np.rint(level), 0, 255).astype(np.uint8)
