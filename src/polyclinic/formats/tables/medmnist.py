"""A MedMNIST file: images and labels of three parts in one .npz. Images stay where they are; cells hold addresses.

Source: layout of Yang et al., MedMNIST v2, Scientific Data 2023 (arrays ``train_images``, ``train_labels``, ``val_``
and ``test_`` likewise; labels of shape (N, 1), or (N, L) where a patient may have several).
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl

from polyclinic.errors import CohortError, Finding
from polyclinic.formats.tables.base import TypedFile

_PARTS = {"train": "train", "val": "tune", "test": "test"}
_MOST_LABEL_BYTES = 2**28
"""Labels of 30 million images: more is no list of labels, and would be unpacked whole."""

# RuntimeError is what zipfile raises for an encrypted member.
_DAMAGE = (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)


@dataclass(frozen=True)
class _Header:
    """Shape and type of an array, read without its content."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


@final
class MedMnist(TypedFile):
    """An .npz file in the layout of MedMNIST."""

    name = "MedMNIST .npz"
    suffixes = (".npz",)

    def frame(self, path: Path) -> pl.DataFrame:
        """One row per image: ``image`` (an address such as ``x.npz#train_images[17]``), ``label`` and ``part``.

        Several labels per image are columns ``label_0``, ``label_1`` and so on. Nothing in the file is ever run.

        Raises:
            CohortError: damaged file, another layout, arrays of objects, images and labels of different number.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                present = set(archive.namelist())
                _refuse_other_layout(present, path.name)
                frames = [_part(archive, path.name, word) for word in _PARTS if f"{word}_images.npy" in present]
        except _DAMAGE as error:
            raise CohortError(_finding(path.name, "must be a whole .npz file", "it is damaged or truncated")) from error
        if len({tuple(frame.columns) for frame in frames}) > 1:
            rule, found = "all parts must have the same labels", "the parts differ in the number of labels"
            raise CohortError(_finding(path.name, rule, found))
        return pl.concat(frames)


def _refuse_other_layout(present: set[str], table: str) -> None:
    needed = [f"{word}_{what}.npy" for word in ("train", "test") for what in ("images", "labels")]
    lacking = [name.removesuffix(".npy") for name in needed if name not in present]
    if lacking:
        raise CohortError(
            _finding(
                table,
                "an .npz table must have the layout of MedMNIST: train_images, train_labels, test_images, test_labels",
                f"it lacks {', '.join(lacking)}",
            )
        )


def _part(archive: zipfile.ZipFile, table: str, word: str) -> pl.DataFrame:
    images = _header(archive, table, f"{word}_images")
    if len(images.shape) < 3:
        raise CohortError(_finding(table, f"{word}_images must be pictures", f"its shape is {images.shape}"))
    labels = _labels(archive, table, word)
    count = images.shape[0]
    if len(labels) != count:
        found = f"{count} images and {len(labels)} labels"
        raise CohortError(_finding(table, f"the part {word} must have a label for every image", found))
    addresses = pl.Series("image", [f"{table}#{word}_images[{i}]" for i in range(count)], dtype=pl.String)
    names = ["label"] if labels.shape[1] == 1 else [f"label_{i}" for i in range(labels.shape[1])]
    columns = [pl.Series(name, labels[:, i]) for i, name in enumerate(names)]
    return pl.DataFrame([addresses, *columns, pl.Series("part", [_PARTS[word]] * count, dtype=pl.String)])


def _labels(archive: zipfile.ZipFile, table: str, word: str) -> np.ndarray:
    """Labels as whole numbers, one row per image."""
    name = f"{word}_labels"
    if f"{name}.npy" not in archive.namelist():
        raise CohortError(_finding(table, f"{word}_images must have labels", f"it lacks {name}"))
    header = _header(archive, table, name)
    if header.dtype.kind not in "iub" or len(header.shape) not in (1, 2):
        found = f"type {header.dtype} and shape {header.shape}"
        raise CohortError(_finding(table, f"{name} must be whole numbers, one row per image", found))
    if archive.getinfo(f"{name}.npy").file_size > _MOST_LABEL_BYTES:
        raise CohortError(_finding(table, f"{name} must be a list of labels", "it is larger than any list of labels"))
    content = io.BytesIO(archive.read(f"{name}.npy"))
    try:
        labels = np.asarray(np.load(content, allow_pickle=False))
    except ValueError as error:
        raise CohortError(_finding(table, f"{name} must be whole", "it is truncated")) from error
    return labels.astype(np.int64).reshape(len(labels), -1)


def _header(archive: zipfile.ZipFile, table: str, name: str) -> _Header:
    with archive.open(f"{name}.npy") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream)
        except ValueError as error:
            raise CohortError(_finding(table, f"{name} must be an array", "its header cannot be read")) from error
    if dtype.hasobject:
        raise CohortError(_finding(table, f"{name} must hold numbers", "it holds Python objects, which are never run"))
    return _Header(shape, dtype)


def _finding(table: str, rule: str, found: str) -> Finding:
    return Finding("bad_npz", table, rule, found, "See MedMNIST for the layout, or give a csv of image paths.")
