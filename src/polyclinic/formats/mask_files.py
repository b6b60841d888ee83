"""Masks, flat and solid, by content; and masks written in the geometry of their source. No torch."""

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer, Shaped, UInt8
from PIL import Image

from polyclinic.formats import read_scan as volume
from polyclinic.formats.dicom import pixels as dicom
from polyclinic.formats.dicom import segmentation, segmentation_writer, series
from polyclinic.formats.disk import write_file
from polyclinic.formats.pictures import archive, raster
from polyclinic.formats.pictures.frame import check_extent
from polyclinic.formats.read_scan import Kept, first_bytes, opened, read_raw, readable
from polyclinic.formats.scans import nifti
from polyclinic.formats.voxels import pages
from polyclinic.formats.voxels.voxel_grid import Mask, VolumeFacts, VoxelGrid, as_mask, labels_of, refuse

_FORMATS = ("PNG", "TIFF", "GIF", "BMP")
_MARKS = (b"\x89PNG", b"GIF8", b"BM", b"\xff\xd8\xff")
_LOSSY = ("jpeg", "webp", "jpeg2000")
_OPAQUE = 255


def read_mask(cell: str | Path, folder: Path | None = None, kept: Kept | None = None) -> Mask:
    """What was drawn on one image or scan.

    A flat mask has the axes (row, column) of its image; a solid one those of its scan (see ``laid_on``).

    Args:
        cell: A file, or ``file.npz#array[index]``.
        folder: What relative paths start from; the current folder if None.
        kept: Arrays of archives that are open already, or None.

    Raises:
        ReadError: colours instead of labels, lossy compression, fractions, or a damaged file.
        MissingPackage: if a package that reads the format is not installed.
    """
    root = folder or Path()
    address = archive.parse(str(cell))
    with readable():
        if address is not None:
            stored, facts = pages.drawn_array(opened(address, root, {} if kept is None else kept), address.index)
            labels, values = labels_of(stored)
            return Mask(labels, (), values, None, None, facts)
        return _from_file(root / cell)


def _from_file(path: Path) -> Mask:
    if path.is_dir():
        files = series.files_of(path)
        if len(files) != 1:
            rule, found = "a mask must be one file", f"the folder holds {len(files)} DICOM files"
            raise refuse("not_a_mask", rule, found, "Name the file of the mask.")
        return segmentation.read(files[0].read_bytes())
    start = first_bytes(path)
    if dicom.recognise(start):
        return segmentation.read(path.read_bytes())
    if start.startswith(_MARKS) or (pages.is_tiff(start) and not _has_pages(path)):
        return _flat(path.read_bytes())
    if pages.is_tiff(start):
        return as_mask(pages.read_tiff(path.read_bytes()))
    return as_mask(read_raw(path, start))


def _has_pages(path: Path) -> bool:
    with raster.guarded(), Image.open(path, formats=("TIFF",)) as image:
        return getattr(image, "n_frames", 1) > 1


def _flat(content: bytes) -> Mask:
    with raster.guarded():
        if content.startswith(b"\x89PNG"):
            with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
                image.verify()  # checks every checksum; reading the pixels alone does not
        with Image.open(io.BytesIO(content), formats=(*_FORMATS, "JPEG")) as image:
            _check_flat(image)
            stored = _indices(image)
            if image.format != "TIFF":  # Pillow turns a TIFF by itself
                stored = raster.upright(stored[:, :, None], image.getexif().get(274, 1))[:, :, 0]
            facts = VolumeFacts(str(image.format), "", 8 * stored.dtype.itemsize, len(content), stored.shape)
    labels, values = labels_of(stored)
    return Mask(labels, (), values, None, None, facts)


def _check_flat(image: Any) -> None:
    check_extent(*image.size)
    if image.format == "JPEG" or str(image.info.get("compression", "")).lower() in _LOSSY:
        rule, found = "a mask must be stored without loss", "it was compressed with loss: its edges are no labels"
        raise refuse("lossy_mask", rule, found, "Save it as PNG from its source.")
    if getattr(image, "n_frames", 1) > 1:
        rule, found = "a file must hold one flat mask", "it holds several"
        raise refuse("several_pages", rule, found, "Save each as a file of its own.")


def _indices(image: Any) -> Shaped[np.ndarray, "row column"]:
    """Labels as stored: indices of a palette, never its colours. A GIF has no grey but a palette of greys."""
    image.load()
    if image.mode == "P":
        stored = np.asarray(image)
        greys = _greys(image.getpalette() or [])
        if image.format == "GIF" and greys is not None:
            return np.asarray(greys[stored])
        _check_palette(image.getpalette() or [], np.unique(stored).tolist())
        return stored
    if image.mode in ("LA", "RGBA", "PA", "La", "RGBa"):
        return _of_colours(np.asarray(image.convert("RGBA")))
    if image.mode == "RGB":
        return _of_colours(np.asarray(image))
    if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;16"):
        stored = np.asarray(image)
        return stored.astype(stored.dtype.newbyteorder("="))
    rule, found = "a mask must hold labels", f'its pixels are stored as "{image.mode}"'
    raise refuse("colour_mask", rule, found, "Save it as a grey or indexed PNG.")


def _greys(palette: Sequence[int]) -> UInt8[np.ndarray, " index"] | None:
    """The grey of each index, or None if the palette has colours."""
    colours = np.zeros((256, 3), dtype=np.uint8)
    colours[: len(palette) // 3] = np.array(palette, dtype=np.uint8)[: 3 * (len(palette) // 3)].reshape(-1, 3)
    return colours[:, 0] if bool((colours == colours[:, :1]).all()) else None


def _check_palette(palette: Sequence[int], used: Sequence[int]) -> None:
    """A grey palette must grow with its index: else it is not clear whether index or grey is the label."""
    colours = [tuple(palette[3 * index : 3 * index + 3]) for index in used]
    greys = [colour[0] for colour in colours if len(set(colour)) == 1]
    if len(greys) == len(colours) and any(a >= b for a, b in pairwise(greys)):
        raise refuse(
            "inverted_palette",
            "greys of a palette must grow with their index",
            "they do not: index and grey say different things",
            "Save the mask as a grey PNG.",
        )


def _of_colours(pixels: UInt8[np.ndarray, "row column channel"]) -> UInt8[np.ndarray, "row column"]:
    """Grey in colour's clothes as what it is; true colours and transparency are refused."""
    if not bool((pixels[:, :, :3] == pixels[:, :, :1]).all()):
        rule, found = "a mask must hold labels", "it holds colours"
        raise refuse(
            "colour_mask", rule, found, "Save it as a grey or indexed PNG; which colour is which, only you know."
        )
    if pixels.shape[2] == 4 and not bool((pixels[:, :, 3] == _OPAQUE).all()):
        rule, found = "a mask must be opaque", "parts of it are transparent"
        raise refuse("transparent_mask", rule, found, "Save it without transparency.")
    return pixels[:, :, 0]


def write_mask(
    mask: Integer[np.ndarray, "*grid"],
    like: str | Path | VoxelGrid | None,
    out: Path,
    names: Sequence[str] = (),
    version: str = "0",
) -> Path:
    """A mask as a file that belongs to its source.

    A DICOM segmentation object for a series of slices, NIfTI for any other scan (also for one multi-frame file, whose
    geometry it takes over), PNG for a flat image.

    Args:
        mask: Labels, or one 0/1 layer for each of ``names``; on the grid of the source. Flat: (row, column).
        like: The source's file or folder, or the volume; None for a flat mask.
        out: The file to write; its ending is corrected to that of the format.
        names: The user's names of layers, or of labels 1, 2, ...
        version: Version of the program, told in segmentation objects.

    Returns:
        The file that was written.

    Raises:
        ReadError: if layers overlap and the format has one label per point, or the mask does not fit its source.
        MissingPackage: if a package that writes the format is not installed.
        BundleError: if the disk is full.
    """
    stacked = bool(names) and mask.ndim in (3, 4) and len(mask) == len(names) and _is_layers(mask, like)
    if like is None or _is_picture(like):
        content, ending = _png(_one_label(mask) if stacked else mask), ".png"
    elif not isinstance(like, VoxelGrid) and len(series.files_of(Path(like))) > 1:
        layers = mask.astype(np.uint8) if stacked else _layers(mask, names)
        chosen = names or [f"label {number}" for number in range(1, len(layers) + 1)]
        content, ending = _segmentation(layers, chosen, Path(like), version), ".dcm"
    else:
        content, ending = _nifti(_one_label(mask) if stacked else mask, like), ".nii.gz"
    path = _with_ending(out, ending)
    write_file(path, content)
    return path


def _is_layers(mask: Integer[np.ndarray, "*grid"], like: str | Path | VoxelGrid | None) -> bool:
    """Whether the first axis counts regions: one axis more than the source has."""
    return mask.ndim == 3 + (not (like is None or _is_picture(like)))


def _is_picture(like: str | Path | VoxelGrid) -> bool:
    """Whether the source is a flat image."""
    if isinstance(like, VoxelGrid) or archive.parse(str(like)):
        return False
    path = Path(like)
    if path.is_dir():
        return False
    start = first_bytes(path)
    return start.startswith(_MARKS) or (pages.is_tiff(start) and not _has_pages(path))


def _with_ending(path: Path, ending: str) -> Path:
    name = path.name
    for known in (".nii.gz", ".nii", ".dcm", ".png"):
        name = name.removesuffix(known)
    return path.with_name(name + ending)


def _one_label(layers: Integer[np.ndarray, " region *grid"]) -> Integer[np.ndarray, "*grid"]:
    """Layers as labels 1, 2, ...; layers that overlap are refused."""
    if len(layers) and (layers != 0).sum(axis=0).max() > 1:
        rule, found = "this format holds one label per point", "regions overlap"
        raise refuse("overlapping_regions", rule, found, "Write each region as a file of its own.")
    labels = np.zeros(layers.shape[1:], dtype=np.uint8 if len(layers) < 256 else np.uint16)
    for number, layer in enumerate(layers, start=1):
        labels[layer != 0] = number
    return labels


def _layers(labels: Integer[np.ndarray, "i j k"], names: Sequence[str]) -> UInt8[np.ndarray, "region i j k"]:
    count = max(len(names), int(labels.max(initial=0)))
    return np.stack([labels == number for number in range(1, max(1, count) + 1)]).astype(np.uint8)


def _png(labels: Integer[np.ndarray, "row column"]) -> bytes:
    stored, _ = labels_of(labels)
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, format="PNG")
    return stream.getvalue()


def _nifti(labels: Integer[np.ndarray, "i j k"], like: str | Path | VoxelGrid) -> bytes:
    stored, _ = labels_of(labels)
    header, affine, shape = _source(like)
    if tuple(shape) != stored.shape:
        rule, found = "a mask must have the shape of its source", f"{stored.shape} instead of {tuple(shape)}"
        raise refuse("other_geometry", rule, found, "Name the scan that the mask belongs to.")
    return nifti.written(stored, header, affine)


def _source(like: str | Path | VoxelGrid) -> tuple[Any, Any, tuple[int, ...]]:
    """Header of a NIfTI source, or the affine of another; and its shape."""
    if isinstance(like, VoxelGrid):
        return None, like.affine, like.values.shape
    path = Path(like)
    if archive.parse(str(like)) is None and path.is_file() and nifti.recognise(first_bytes(path)):
        header = nifti.read_header(path)
        return header, None, nifti.shape_of(header)
    scan = volume.read_volume(like)
    return None, scan.affine, scan.values.shape


def _segmentation(layers: UInt8[np.ndarray, "region i j k"], names: Sequence[str], like: Path, version: str) -> bytes:
    paths, distance = series.ordered_files(like)
    return segmentation_writer.written(layers, names, paths, distance, version)
