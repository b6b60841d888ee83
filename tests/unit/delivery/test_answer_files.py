"""Answers that are files."""

import json
from dataclasses import replace

import nibabel
import numpy as np
import polars as pl
import pytest
from PIL import Image

from polyclinic.answers.base import Answer
from polyclinic.answers.boxes import BoxAnswer
from polyclinic.answers.cells import CellsAnswer
from polyclinic.answers.mask import MaskAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.delivery.answer_files import files_beside, files_of, publish, write_files
from polyclinic.delivery.forms.base import AnswerFiles, delivery_of
from polyclinic.errors import BundleError
from polyclinic.formats.packed import nothing, pack_all
from polyclinic.formats.read_mask import read_mask
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.voxels.voxel_grid import on_scan_grid


def write_answer_files(answer: Answer, position: int, files: AnswerFiles) -> tuple[str, ...]:
    return delivery_of(answer).files(answer, position, files)


AFFINE = np.array([[0, -2.0, 0, 40], [1.5, 0, 0, -7], [0, 0, 3.0, 11], [0, 0, 0, 1]])


def mask(*layers: np.ndarray, exclusive: bool = False) -> MaskAnswer:
    names, stacked = tuple(f"part {n}" for n in range(len(layers))), np.stack(layers).astype(np.uint8) * 255
    dim = stacked.ndim - 1
    half, steps = np.full((1, len(names)), 0.5), np.full((1, dim), 1.0)
    return MaskAnswer(names, exclusive, "mm", half, steps, nothing(1), pack_all([stacked]), nothing(1))


@pytest.fixture
def scan(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((5, 6, 7), dtype=np.int16), AFFINE), tmp_path / "scan.nii.gz")
    return str(tmp_path / "scan.nii.gz")


def ball(*corner: int, shape: tuple[int, ...] = (5, 6, 7)) -> np.ndarray:
    grid = np.zeros(shape, dtype=bool)
    grid[tuple(slice(c, c + 3) for c in corner)] = True
    return grid


def test_a_mask_of_a_scan_lies_where_the_scan_does(scan, tmp_path):
    region = ball(1, 2, 3)
    [name] = write_answer_files(mask(region), 0, AnswerFiles(tmp_path, "00001-lesion", scan))
    assert name == "00001-lesion.nii.gz"
    written = nibabel.load(tmp_path / name)
    np.testing.assert_allclose(written.affine, AFFINE)
    assert np.array_equal(np.asarray(written.dataobj) > 0, region)


def test_regions_that_overlap_have_a_file_each(scan, tmp_path):
    names = write_answer_files(mask(ball(0, 0, 0), ball(1, 1, 1)), 0, AnswerFiles(tmp_path, "00001-x", scan))
    assert names == ("00001-x-part-0.nii.gz", "00001-x-part-1.nii.gz")
    apart = write_answer_files(mask(ball(0, 0, 0), ball(0, 0, 3)), 0, AnswerFiles(tmp_path, "00002-x", scan))
    assert apart == ("00002-x.nii.gz",)
    assert set(np.unique(np.asarray(nibabel.load(tmp_path / apart[0]).dataobj))) == {0, 1, 2}


def test_a_mask_of_a_picture_is_a_png(tmp_path):
    region = ball(2, 4, shape=(9, 11))
    [name] = write_answer_files(mask(region), 0, AnswerFiles(tmp_path, "00003-spot", str(tmp_path / "film.jpg")))
    assert name == "00003-spot.png"
    assert np.array_equal(np.asarray(Image.open(tmp_path / name)) > 0, region)


def test_nothing_is_written_of_absent_records(tmp_path):
    answer = replace(mask(ball(0, 0, 0)), probability=nothing(1))
    assert write_files("lesion", answer, [1], [None], tmp_path) == [""]
    numbers = ValueAnswer("", np.zeros(1), np.zeros(1))
    assert write_files("age", numbers, [1], [None], tmp_path) == [""]
    assert list(tmp_path.iterdir()) == []


def test_boxes_say_what_their_numbers_mean(tmp_path):
    found = np.array([[0.9, 1, 2, 3, 10, 12.345], [0.1, 0, 0, 0, 5, 5]], dtype=np.float32)
    answer = BoxAnswer(("mass", "nodule"), "px", np.array([[0.5, 0.6]]), pack_all([found]), nothing(1))
    assert write_files("a b/c", answer, [7], [None], tmp_path) == ["00007-a-b-c.json"]
    document = json.loads((tmp_path / "00007-a-b-c.json").read_text(encoding="utf-8"))
    assert document["axes"] == ["row", "column"]
    assert document["thresholds"] == {"mass": 0.5, "nodule": 0.6}
    assert document["boxes"][0] == {
        "class": "nodule",
        "score": 0.9,
        "counted": True,
        "low": [2.0, 3.0],
        "high": [10.0, 12.35],
    }
    assert not document["boxes"][1]["counted"]


def test_cells_have_numbers_in_the_picture_and_a_row_in_the_table(tmp_path):
    labels = np.zeros((30, 30), dtype=np.int32)
    labels[2:8, 2:8], labels[15:25, 12:20] = 1, 2
    grey = np.full((30, 30), 40, dtype=np.uint8)
    grey[labels == 2] = 200
    Image.fromarray(grey).save(tmp_path / "smear.png")
    scores = pack_all([np.array([0.9, 0.7], dtype=np.float32)])
    answer = CellsAnswer("um", np.array([[0.5, 0.5]]), scores, pack_all([labels]), nothing(1))
    [names] = write_files("cells", answer, [12], [str(tmp_path / "smear.png")], tmp_path)
    assert names == "00012-cells.png | 00012-cells.csv"
    assert np.array_equal(np.asarray(Image.open(tmp_path / "00012-cells.png")), labels)
    table = pl.read_csv(tmp_path / "00012-cells.csv")
    assert table["cell"].to_list() == [1, 2]
    assert table["area_um2"].to_list() == [9.0, 20.0]
    assert table["intensity_mean"].to_list() == [40.0, 200.0]
    assert table["score"].to_list() == [0.9, 0.7]


def test_files_appear_together_or_not_at_all(tmp_path):
    out = tmp_path / "answers.csv"
    with files_beside(out) as folder:
        (folder / "one.png").write_bytes(b"x")
        assert not files_of(out).exists()
    assert [path.name for path in files_of(out).iterdir()] == ["one.png"]
    other = tmp_path / "other.csv"
    with pytest.raises(FileNotFoundError), files_beside(other) as folder:
        (folder / "no" / "such").write_bytes((folder / "one.png").write_bytes(b"x").to_bytes())
    with files_beside(other):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"answers.files"}


def test_a_table_that_cannot_be_written_leaves_no_files(tmp_path):
    out = tmp_path / "answers.csv"
    with files_beside(out) as folder:
        (folder / "one.png").write_bytes(b"x")
    out.mkdir()
    with pytest.raises((BundleError, OSError)):
        publish(out, b"row\n")
    assert not files_of(out).exists()


@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_slices_gets_one_segmentation_with_all_regions(tmp_path):
    cases = pytest.importorskip("cases").made
    series = cases.write(tmp_path / "ct", cases.series(cases.oblique()))
    shape = (cases.COLUMNS, cases.ROWS, cases.SLICES)
    one, other = ball(2, 2, 1, shape=shape), ball(3, 3, 2, shape=shape)
    [name] = write_answer_files(mask(one, other), 0, AnswerFiles(tmp_path, "00001-x", str(series)))
    assert name == "00001-x.dcm"
    scan, found = read_scan(series), read_mask(tmp_path / name)
    assert np.array_equal(on_scan_grid(found, scan.values.shape, scan.affine).labels, np.stack([one, other]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["series", "nifti", "picture"])
def test_nothing_found_is_an_answer_too(tmp_path, scan, kind):
    cases = pytest.importorskip("cases").made
    shape, source = (5, 6, 7), scan
    if kind == "series":
        shape = (cases.COLUMNS, cases.ROWS, cases.SLICES)
        source = str(cases.write(tmp_path / "ct", cases.series(cases.oblique())))
    if kind == "picture":
        shape = (9, 11)
    nothing_there = np.zeros(shape, dtype=bool)
    names = write_answer_files(mask(nothing_there), 0, AnswerFiles(tmp_path, "00001-x", source))
    if kind == "series":  # a segmentation object must hold something
        assert names == ()
    else:
        assert not read_mask(tmp_path / names[0]).labels.any()
    both = write_answer_files(
        mask(ball(*[1] * len(shape), shape=shape), nothing_there), 0, AnswerFiles(tmp_path, "00002-x", source)
    )
    assert len(both) == 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("named", ["file", "folder"])
def test_slices_in_one_file_get_nifti(tmp_path, named):
    cases = pytest.importorskip("cases").made
    folder = cases.write(tmp_path / "ct", [cases.enhanced(cases.series(cases.oblique()), list(range(cases.SLICES)))])
    source = folder if named == "folder" else next(folder.iterdir())
    scan = read_scan(source)
    region = ball(2, 2, 1, shape=scan.values.shape)
    [name] = write_answer_files(mask(region), 0, AnswerFiles(tmp_path, "00001-x", str(source)))
    found = read_mask(tmp_path / name)
    assert np.array_equal(on_scan_grid(found, scan.values.shape, scan.affine).labels > 0, region)
