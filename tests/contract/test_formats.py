"""What every file format promises. A new file in formats/tables, images or scans is under test the moment it exists."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyreadstat
import pytest
import xlwt
from PIL import Image

from cases import made
from polyclinic.errors import CohortError, ReadError
from polyclinic.formats.base import STARTS_WITH, Format, formats_of
from polyclinic.formats.images.base import ImageFormat
from polyclinic.formats.read_image import read_image
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.read_table import read_table
from polyclinic.formats.scans.base import MaskFormat, MaskWriter, ScanFormat, first_bytes
from polyclinic.formats.tables.base import TableFormat, TableWriter, TextTable
from polyclinic.formats.write_mask import write_mask
from polyclinic.study.catalogue import Axis

FAMILIES: tuple[Axis, ...] = ("formats.tables", "formats.images", "formats.scans")
FORMATS = [pytest.param(known, id=f"{axis}-{type(known).__name__}") for axis in FAMILIES for known in formats_of(axis)]
PARTS = {Format: FORMATS} | {
    part: [one for one in FORMATS if isinstance(one.values[0], part)]
    for part in (TableFormat, TableWriter, ImageFormat, ScanFormat, MaskFormat, MaskWriter)
}
FRAME = pl.DataFrame({"patient": ["a1", "a2", "a3"], "age": [54, 61, None], "dose": [0.5, 2.0, 1.25]})
PIXELS = np.random.default_rng(1).integers(0, 4, (9, 7)).astype(np.uint8)
VOXELS = np.random.default_rng(2).integers(0, 3, (6, 5, 4)).astype(np.int16)


def family(known: Format) -> Axis:
    return next(axis for axis in FAMILIES if known in formats_of(axis))


def picture(path: Path, form: str, pixels=PIXELS, **keys) -> Path:
    Image.fromarray(pixels).save(path, form, **keys)
    return path


def pages(path: Path) -> Path:
    first, *others = (Image.fromarray(VOXELS[:, :, k].astype(np.uint8)) for k in range(4))
    first.save(path, "TIFF", save_all=True, append_images=others)
    return path


def numbered(folder: Path) -> Path:
    folder.mkdir()
    for number in range(4):
        picture(folder / f"{number}.png", "PNG", VOXELS[:, :, number].astype(np.uint8))
    return folder


def by_simpleitk(path: Path) -> Path:
    made.SimpleITK.WriteImage(made.SimpleITK.GetImageFromArray(VOXELS), str(path))
    return path


def medmnist(path: Path) -> Path:
    parts = {
        f"{part}_{what}": array[:3]
        for part in ("train", "test")
        for what, array in (("images", np.zeros((3, 4, 4), np.uint8)), ("labels", np.zeros((3, 1), np.int64)))
    }
    np.savez(path, **parts)
    return path


def arff(path: Path) -> Path:
    path.write_text("@relation x\n@attribute a numeric\n@attribute b numeric\n@data\n1,2\n3,4\n")
    return path


def objects(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def text(path: Path) -> Path:
    path.write_text(FRAME.write_csv(separator="|"))
    return path


def one_frame(path: Path) -> Path:
    made.series(count=2)[0].save_as(path, enforce_file_format=True)
    return path


def sqlite(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE patients (patient TEXT, age INTEGER, dose REAL)")
        database.executemany("INSERT INTO patients VALUES (?, ?, ?)", FRAME.rows())
        database.commit()
    return path


def workbook(path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("patients")
    for row, values in enumerate([FRAME.columns, *FRAME.rows()]):
        for column, value in enumerate(values):
            sheet.write(row, column, value)
    book.save(path)
    return path


def by_pandas() -> pd.DataFrame:
    return pd.DataFrame(FRAME.to_dict(as_series=False))


def open_document(path: Path) -> Path:
    by_pandas().to_excel(path, index=False, engine="odf")
    return path


def statistics(path: Path, write: str) -> Path:
    getattr(pyreadstat, write)(by_pandas().rename(columns=str.upper), path)
    return path


def by_name_only(path: Path) -> Path:
    path.write_bytes(b"no library writes such a file")
    return path


def duckdb_file(path: Path) -> Path:
    with duckdb.connect(path) as database:
        database.execute("CREATE TABLE patients (patient VARCHAR, age INTEGER, dose DOUBLE)")
        database.executemany("INSERT INTO patients VALUES (?, ?, ?)", FRAME.rows())
    return path


EXAMPLES: dict[str, Callable[[Path], Path]] = {
    "Arff": lambda folder: arff(folder / "a.arff"),
    "Json": lambda folder: objects(folder / "a.json", FRAME.write_json()),
    "JsonLines": lambda folder: objects(folder / "a.jsonl", FRAME.write_ndjson()),
    "Ods": lambda folder: open_document(folder / "a.ods"),
    "Xls": lambda folder: workbook(folder / "a.xls"),
    "Stata": lambda folder: statistics(folder / "a.dta", "write_dta"),
    "Spss": lambda folder: statistics(folder / "a.sav", "write_sav"),
    "SpssPortable": lambda folder: statistics(folder / "a.por", "write_por"),
    "SasTransport": lambda folder: statistics(folder / "a.xpt", "write_xport"),
    "Sas": lambda folder: by_name_only(folder / "a.sas7bdat"),
    "Txt": lambda folder: text(folder / "a.txt"),
    "Sqlite": lambda folder: sqlite(folder / "a.sqlite"),
    "DuckDb": lambda folder: duckdb_file(folder / "a.duckdb"),
    "MedMnist": lambda folder: medmnist(folder / "a.npz"),
    "Dicom": lambda folder: one_frame(folder / "a.dcm"),
    "Jpeg": lambda folder: picture(folder / "a.jpg", "JPEG"),
    "Png": lambda folder: picture(folder / "a.png", "PNG"),
    "Tiff": lambda folder: picture(folder / "a.tif", "TIFF"),
    "DicomGrid": lambda folder: made.write(folder / "series", made.series(count=4)),
    "MetaImage": lambda folder: by_simpleitk(folder / "a.mha"),
    "Nifti": lambda folder: by_simpleitk(folder / "a.nii"),
    "Nrrd": lambda folder: by_simpleitk(folder / "a.nrrd"),
    "FlatPicture": lambda folder: picture(folder / "a.png", "PNG"),
    "Slices": lambda folder: numbered(folder / "slices"),
    "TiffPages": lambda folder: pages(folder / "a.tif"),
}
"""How a file of each format comes about; formats of tables that are written need none."""


def example(known: Format, folder: Path) -> Path:
    """A small whole file, or folder, of a format."""
    if isinstance(known, TableWriter):
        path = folder / f"a{known.suffixes[0]}"
        path.write_bytes(known.write(FRAME))
        return path
    if type(known).__name__ not in EXAMPLES and not type(known).__module__.startswith("polyclinic."):
        pytest.skip("the tests of its own package hold an example")
    return EXAMPLES[type(known).__name__](folder)


def read(known: Format, path: Path) -> object:
    """What the house reads from a file, dispatched as for any user."""
    if isinstance(known, TableFormat):
        return read_table(path).frame
    if isinstance(known, ImageFormat):
        return read_image(path).pixels
    return read_scan(path).values if isinstance(known, ScanFormat) else read_mask(path).labels


def start_of(path: Path) -> bytes:
    return first_bytes(path)[:STARTS_WITH]


def files(path: Path) -> Iterator[Path]:
    yield from (sorted(path.iterdir()) if path.is_dir() else [path])


def formats(part: type[Format]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("known", PARTS[part])


@formats(Format)
def test_its_own_file_is_recognised_by_it_alone(known, tmp_path):
    path = example(known, tmp_path)
    recognising = [other for other in formats_of(family(known)) if other.recognises(path, start_of(path))]
    assert recognising == [known]


@formats(Format)
def test_no_file_of_another_format_is_recognised(known, tmp_path):
    for number, other in enumerate(formats_of(family(known))):
        if other is not known:
            folder = tmp_path / str(number)
            folder.mkdir()
            path = example(other, folder)
            assert not known.recognises(path, start_of(path)), type(other).__name__


@formats(Format)
def test_its_own_file_is_read(known, tmp_path):
    if type(known).__name__ == "Sas":
        pytest.skip("no library writes a whole file of this format")
    assert len(read(known, example(known, tmp_path))) > 0


@formats(Format)
def test_a_truncated_file_is_refused(known, tmp_path):
    path = example(known, tmp_path)
    for file in files(path):
        content = file.read_bytes()
        # Text that ends between two rows is whole; it ends here within the last one.
        end = content.rstrip()[:-1].rfind(b"\n") + 2 if isinstance(known, TextTable) else len(content) // 2
        file.write_bytes(content[:end])
    with pytest.raises((CohortError, ReadError)) as refusal:
        read(known, path)
    assert refusal.value.findings[0].remedy


@formats(Format)
def test_an_empty_file_is_refused(known, tmp_path):
    path = example(known, tmp_path)
    for file in files(path):
        file.write_bytes(b"")
    with pytest.raises((CohortError, ReadError)):
        read(known, path)


@formats(ImageFormat)
def test_an_image_is_what_its_content_says(known, tmp_path):
    path = example(known, tmp_path)
    whole = read_image(path).pixels
    other = path.rename(tmp_path / "Miller^Ann.txt")
    assert np.array_equal(read_image(other).pixels, whole)


@formats(ScanFormat)
def test_a_scan_is_what_its_content_says(known, tmp_path):
    path = example(known, tmp_path)
    whole = read_scan(path).values
    assert np.array_equal(read_scan(path.rename(tmp_path / "Miller^Ann.txt")).values, whole)


@formats(TableWriter)
def test_a_table_is_read_back_as_it_was_written(known, tmp_path):
    assert read_table(example(known, tmp_path)).frame.equals(FRAME)


@formats(TableWriter)
def test_the_same_table_gives_the_same_bytes(known):
    assert known.write(FRAME) == known.write(FRAME.clone())


@formats(MaskWriter)
def test_a_mask_is_read_back_as_it_was_written(known, tmp_path):
    source = example(known, tmp_path)
    shape = PIXELS.shape if known.axes == 2 else read_scan(source).values.shape
    labels = np.zeros(shape, dtype=np.uint8)
    labels[1:4, 2:4] = 1
    path = write_mask(labels, source, tmp_path / "mask.xyz")
    assert path.name.endswith(known.ending)
    found = read_mask(path).labels
    assert found.sum() == labels.sum()
    assert known.recognises(path, start_of(path))


@pytest.mark.parametrize("known", [one for one in PARTS[MaskWriter] if one.values[0].axes == 3])
def test_a_mask_of_another_shape_is_refused(known, tmp_path):
    with pytest.raises(ReadError):
        write_mask(np.ones((2, 3, 2), dtype=np.uint8), example(known, tmp_path), tmp_path / "mask.xyz")


def test_every_format_of_the_house_has_an_example():
    ours = {type(one.values[0]) for one in FORMATS if type(one.values[0]).__module__.startswith("polyclinic.")}
    without = {kind.__name__ for kind in ours if not issubclass(kind, TableWriter)} - set(EXAMPLES)
    assert not without
