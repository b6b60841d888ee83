import numpy as np
import pytest

from polyclinic.errors import Severity
from polyclinic.records.examples.scans import nifti_bytes, write
from polyclinic.records.scans.findings import FILES, doubtful, fingerprints, properties
from polyclinic.records.scans.scans import read_scans

VALUES = np.random.default_rng(0).integers(0, 900, (5, 6, 7)).astype(np.int16)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(nifti_bytes(VALUES, np.eye(4)))
    turned = np.diag([-1.0, 1.0, 1.0, 1.0])
    turned[0, 3] = 4
    (tmp_path / "turned.nii.gz").write_bytes(nifti_bytes(2 * VALUES[::-1] + 5, turned))
    (tmp_path / "blank.nii.gz").write_bytes(nifti_bytes(np.full((3, 3, 3), 7), np.eye(4)))
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing of the sort")
    np.savez(
        tmp_path / "many.npz", train_images=np.zeros((3, 4, 4, 4), dtype=np.uint8) + np.arange(64).reshape(4, 4, 4)
    )
    return tmp_path


def test_each_file_is_read_once_and_geometry_is_kept(folder):
    scans = read_scans(["a.nii.gz", "a.nii.gz", None], folder)
    assert scans.entry.tolist() == [0, 0, -1]
    scan = scans.scan(0)
    np.testing.assert_array_equal(scan.values, VALUES)
    assert scan.geometry.spacing == pytest.approx((1, 1, 1))
    assert scan.geometry.unit == "mm"
    assert scans.scan(2) is None


def test_unusable_files_are_told_by_row(folder):
    scans = read_scans(["a.nii.gz", "broken.nii.gz", "missing.nii.gz", None], folder)
    assert scans.entry.tolist()[1:] == [-1, -1, -1]
    findings = FILES.unusable(scans, "t.csv", Severity.ERROR)
    assert sorted(f.rows for f in findings) == [(2,), (3,)]
    assert all("nii" not in f.found for f in findings)
    assert FILES.absent(scans, "t.csv", Severity.NOTE)[0].rows == (4,)


def test_volumes_of_an_archive_have_addresses(folder):
    scans = read_scans(["many.npz#train_images[1]", "many.npz#train_images[9]"], folder)
    assert scans.scan(0).values.shape == (4, 4, 4)
    assert scans.scan(0).geometry.spacing is None
    assert scans.scan(1) is None
    assert scans.fault[1] is not None


def test_the_cache_gives_the_same(folder):
    first = read_scans(["a.nii.gz", "broken.nii.gz"], folder, folder / "cache")
    again = read_scans(["a.nii.gz", "broken.nii.gz"], folder, folder / "cache")
    np.testing.assert_array_equal(first.scan(0).values, again.scan(0).values)
    np.testing.assert_array_equal(first.geometry[0].affine, again.geometry[0].affine)
    assert first.fault == again.fault


def test_copies_are_found_however_turned_and_scaled(folder):
    prints = fingerprints(read_scans(["a.nii.gz", "turned.nii.gz", "blank.nii.gz", None], folder))
    assert prints[0] == prints[1]
    assert prints[2] not in (prints[0], 0)
    assert prints[3] == 0


def test_doubts_and_properties(folder):
    scans = read_scans(["a.nii.gz", "blank.nii.gz", "many.npz#train_images[0]"], folder)
    assert {f.name: f.rows for f in doubtful(scans, "t.csv")} == {"blank_volume": (2,), "unknown_geometry": (3,)}
    told = properties(scans)
    assert told["points_i"].tolist() == [5, 3, 4]
    assert told["step_k"].tolist() == [1.0, 1.0, 0.0]


def test_synthetic_scans_say_where_the_ball_is(tmp_path):
    paths, known = write(np.random.default_rng(0), np.array([2.0, 2.0, -2.0]), tmp_path, "ct")
    scans = read_scans(paths, tmp_path)
    for row, one in enumerate(known):
        scan = scans.scan(row)
        np.testing.assert_allclose(scan.geometry.affine, one.geometry.affine)
        assert scan.values.shape == one.objects.shape
    bright = [scans.scan(row).values[known[row].objects > 0].mean() for row in range(3)]
    assert min(bright[:2]) > bright[2] + 50
    assert (tmp_path / paths[0]).read_bytes() == (tmp_path / paths[0]).read_bytes()
