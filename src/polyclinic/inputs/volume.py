"""Volumes, one per row: CT, MR and other scans in three dimensions, of any size, spacing and orientation."""

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
from polyclinic.inputs.base import LocatedFiles, PreparedGrids, learned
from polyclinic.layers.maps.grid_encoder import GridEncoder
from polyclinic.layers.maps.tower import ResidualTower
from polyclinic.layers.maps.unet import ResidualUNet, Stages
from polyclinic.layers.volumes.jitter3d import Jitter3d
from polyclinic.layers.volumes.views import Viewer
from polyclinic.records import preparation_notes as preparation
from polyclinic.records.base import ColumnCells
from polyclinic.records.examples import scans as synthetic_scans
from polyclinic.records.network_shape import Network, VolumeShape, choose_network, dense_shape, whole_shape
from polyclinic.records.scans import survey
from polyclinic.records.scans.findings import FILES
from polyclinic.records.scans.lattices import Intensity
from polyclinic.records.scans.resampled import ResampledScans, ScanResampling, resample_scans
from polyclinic.records.scans.scans import read_scans
from polyclinic.records.scans.volumes import Volumes
from polyclinic.study.options import InputOptions, Plan
from polyclinic.study.schema import Size
from polyclinic.tensors import CONVOLUTIONS, STILL, Encoder, GridTensors, Movement, Sight

Share = Annotated[float, Field(ge=0, lt=1)]
Millimetres = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(ge=1, le=512)]
Amount = Annotated[float, Field(ge=0)]


class VolumeOptions(InputOptions):
    """[inputs.<name>] with kind = "volume"."""

    column: str
    """Column with the path of each volume (a file, or a folder of DICOM slices), or "file.npz#array[index]"."""
    spacing: Literal["auto", "native"] | Millimetres | tuple[Millimetres, Millimetres, Millimetres] = "auto"
    """Millimetres per step: "auto" = median of the training scans, "native" = as each file has it, or numbers."""
    orientation: Literal["upright", "file"] = "upright"
    """Turn axes so that they run to the right, the front and the head, or leave them as in the file."""
    window: Literal["auto", "scan"] | tuple[float, Annotated[float, Field(gt=0)]] = "auto"
    """Centre and width such as [40, 400] HU; "scan": each by its own range; "auto": CT by all training scans, MR so."""
    patch: Literal["auto"] | Side | tuple[Side, Side, Side] = "auto"
    """Points on each side that the network sees at once, when it is asked where something is."""
    network: Literal["auto"] | Network = "auto"
    """Slice by slice "2", with some neighbours "2.5", or in three dimensions "3"; "auto" follows the training scans."""
    size: Literal["auto"] | Annotated[int, Field(ge=8, le=256)] = "auto"
    """Points on the longest side of a whole volume, when it is asked what the patient has; "auto": up to 64."""
    flips: tuple[Literal["right", "front", "head"], ...] = ()
    """Axes along which to mirror while training; only where both sides mean the same."""
    mirror_answers: bool = True
    """When it is asked where something is: also ask about windows mirrored along ``flips``, and average."""
    shift: Share = 0.06
    """Furthest shift while training, as a share of the side."""
    zoom: Share = 0.15
    """Furthest enlargement or reduction while training, as a share."""
    tilt: Annotated[float, Field(ge=0, le=180)] = 15.0
    """Furthest rotation about each axis while training, in degrees."""
    brightness: Amount = 0.2
    """Furthest change of brightness while training, in standard deviations."""
    contrast: Share = 0.25
    """Furthest change of contrast while training, as a share."""
    gamma: Amount = 0.4
    """Furthest change of the curve from dark to light while training: exponents from exp(-gamma) to exp(gamma)."""
    noise: Amount = 0.15
    """Most noise that is added while training, in standard deviations."""


class VolumePlan(Plan):
    """Constants from training rows, and the network that follows from them.

    Attributes:
        dense: Whether it is asked where something is; else what the patient has.
        spacing: Millimetres per step along each axis; None = each file keeps its own.
        upright: Whether axes run to the right, the front and the head.
        shape: Points of a usual scan along each axis, at this spacing.
        steps: Length of a step along each axis, in mm; 1 where files do not say.
        intensity: How measured values become numbers.
        factor: How much coarser than ``spacing`` whole volumes are looked at.
        extent: Points of a patch (dense), or of a whole volume.
        network: Slice by slice, with neighbours, or in three dimensions.
        strides: Step into each stage of the network.
        kernels: Reach of its convolutions along each axis, by stage.
    """

    dense: bool
    spacing: tuple[float, ...] | None
    upright: bool
    shape: tuple[int, ...]
    steps: tuple[float, ...]
    intensity: Intensity
    factor: float
    extent: tuple[int, ...]
    network: Network
    strides: tuple[tuple[int, ...], ...]
    kernels: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class PreparedVolumes(PreparedGrids):
    """Volumes on the network's grid."""

    grids: ResampledScans
    viewer: Viewer

    def collate(self, index: Int[np.ndarray, " batch"]) -> GridTensors:
        """Some rows whole, in the middle of the network's extent."""
        cuts = [self.grids.whole(int(row), self.viewer.extent) for row in index]
        return GridTensors(torch.from_numpy(self.grids.entry[index] >= 0), torch.from_numpy(np.stack(cuts)[:, None]))

    def augment(self, tensors: GridTensors, generator: Generator) -> tuple[GridTensors, Movement]:
        """Small shifts, zooms, rotations and changes of light, and the mirror where the options allow."""
        voxels, affine = self.viewer.whole(tensors.values, generator)
        changed = replace(tensors, values=voxels * tensors.present[:, None, None, None, None])
        extent = self.viewer.extent
        return changed, STILL if affine is None else Movement(None, extent, affine, extent)

    def values(self, row: int) -> Float[np.ndarray, "channel i j k"]:
        """The whole grid of a row; none of it where absent."""
        shape = self.grids.shape(row) or (0, 0, 0)
        return self.grids.cut(row, (0, 0, 0), shape)[None]


_BASE = {Size.TINY: 8, Size.SMALL: 16, Size.MEDIUM: 32, Size.LARGE: 48}
"""Features of the finest stage; round numbers."""
_WIDEST = 320
"""Of the coarsest stages, as in nnU-Net."""
_DROPOUT = 0.2
"""A round number; no measurement of it is on record."""
_DENSE_RATE = 5e-3
"""On tune rows of MSD Hippocampus 2e-3 had not told front from back after 1,500 steps, where 5e-3 had by step 700."""
_DENSE_POINTS = 1 << 17
"""A quarter of what a step on pictures holds; a round number."""
_HINTS = replace(CONVOLUTIONS, dense_rate=_DENSE_RATE, dense_points=_DENSE_POINTS)
_AXES = ("right", "front", "head")
_AMOUNTS = {"shift", "zoom", "tilt", "brightness", "contrast", "gamma", "noise"}


@final
class Volume(LocatedFiles):
    """Volumes, one per row."""

    ground = "volume"
    Options = VolumeOptions
    Plan = VolumePlan
    options: VolumeOptions
    plan: VolumePlan | None

    def read(self, cells: ColumnCells) -> Volumes:
        """Paths to voxels.

        Raises:
            CohortError: no such column, or cells that are no text.
            ReadError: unusable files, unless a patient may lack this input.
        """
        volumes = Volumes(
            name=self.name,
            scans=read_scans(self.paths(cells, "volumes"), cells.folder, cells.cache),
            place=f'{cells.table} column "{self.file_column}"',
            cache=cells.cache,
            required=self.options.missing == "refuse",
        )
        if volumes.required:
            stop_on(FILES.unusable(volumes.scans, volumes.place, Severity.ERROR), ReadError)
        return volumes

    def fit(self, records: Volumes, rows: TrainRows) -> Self:
        """The plan: spacing, size and intensities from training rows only, and the network by rule from these."""
        options = self.options
        seen = [int(row) for row in rows.index]
        upright = options.orientation == "upright"
        wanted = (options.spacing,) * 3 if isinstance(options.spacing, float) else options.spacing
        found = survey.survey(records.scans, seen, wanted, upright=upright)
        shape = self._shape(found)
        plan = VolumePlan(
            dense=self.dense,
            spacing=found.spacing,
            upright=upright,
            shape=found.shape,
            steps=found.steps,
            intensity=survey.suitable_intensity(records.scans, seen, options.window),
            factor=shape.factor,
            extent=shape.extent,
            network=shape.network,
            strides=shape.strides,
            kernels=shape.kernels,
        )
        return type(self)(self.name, options, plan)

    def prepare(self, records: Volumes) -> PreparedVolumes:
        """Every scan on the network's grid; in a file of the cache where they are too many for memory."""
        plan = learned(self.plan)
        whole = None if plan.dense else plan.extent
        laying = ScanResampling(plan.spacing, plan.upright, plan.intensity, plan.factor, whole)
        grids = resample_scans(records.scans, laying, records.cache)
        amounts = self.options.model_dump(include=_AMOUNTS)
        right, front, head = (axis in self.options.flips for axis in _AXES)
        viewer = Viewer(plan.extent, plan.steps, Jitter3d(mirror=(right, front, head), **amounts))
        return PreparedVolumes(grids, viewer, self._mirrored_axes())

    def encoder(self, width: int, size: Size, dropout: float | None) -> Encoder:
        """From voxels to one token, and feature maps."""
        drop = _DROPOUT if dropout is None else dropout
        stages = self._stages(size)
        network = ResidualUNet(stages) if learned(self.plan).dense else ResidualTower(stages)
        return GridEncoder(network, width, drop, _HINTS)

    def sight(self, size: Size) -> Sight:
        """What the maps look like: those of the way up of the U-Net, or of the stages of the tower."""
        stages = self._stages(size)
        return Sight(3, stages.widths, stages.total_strides())

    @classmethod
    def example_known(
        cls, rng: np.random.Generator, signal: Float[np.ndarray, " sample"], folder: Path, name: str
    ) -> tuple[pl.DataFrame, dict[str, Any], list[Known]]:
        """Noise of several sizes with a ball that is the brighter the higher the signal, and a dim one that is idle."""
        paths, known = synthetic_scans.write(rng, signal, folder, name)
        return pl.DataFrame({f"{name}_path": paths}), {"column": f"{name}_path"}, list(known)

    def parameters_note(self) -> Iterator[str]:
        """How volumes were prepared and changed while training."""
        plan, options = learned(self.plan), self.options
        yield from preparation.scans(plan.spacing, plan.upright, plan.extent, plan.dense)
        yield plan.intensity.words
        yield preparation.changed_scans(options.shift, options.zoom, options.tilt, options.flips)
        if plan.dense and self._mirrored_axes():
            yield preparation.MIRRORED

    def _shape(self, found: survey.Survey) -> VolumeShape:
        options = self.options
        network = choose_network(found.shape, found.steps) if options.network == "auto" else options.network
        if not self.dense:
            longest = None if options.size == "auto" else options.size
            return whole_shape(found.largest, found.steps, network, longest)
        asked = (options.patch,) * 3 if isinstance(options.patch, int) else options.patch
        return dense_shape(found.shape, found.steps, network, None if asked == "auto" else asked)

    def _mirrored_axes(self) -> tuple[int, ...]:
        """Axes along which windows are mirrored to answer: those that the flips while training allow."""
        axes = tuple(axis for axis, word in enumerate(_AXES) if word in self.options.flips)
        return axes if self.options.mirror_answers else ()

    def _stages(self, size: Size) -> Stages:
        plan = learned(self.plan)
        count = len(plan.strides)
        widths = tuple(min(_WIDEST, _BASE[size] * 2**n) for n in range(count))
        deep = 1 if size is Size.TINY else 2
        # The finest stage holds most of the points and adds least: it has no block of its own on the way down.
        blocks = (0, *(1 if plan.dense and n == 1 else deep for n in range(1, count))) if count > 1 else (deep,)
        return Stages(1, widths, plan.strides, plan.kernels, blocks)
