import numpy as np
import pytest

from polyclinic.records.examples.scans import nifti_bytes
from polyclinic.records.scans.lattices import Intensity
from polyclinic.records.scans.resampled import ScanResampling, resample_scans
from polyclinic.records.scans.scans import read_scans

PLAIN = Intensity(-1e4, 1e4, 0.0, 1.0)


@pytest.fixture
def scans(tmp_path):
    values = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    (tmp_path / "a.nii.gz").write_bytes(nifti_bytes(values, np.eye(4)))
    (tmp_path / "b.nii.gz").write_bytes(nifti_bytes(values[:, ::-1] + 1, np.diag([1.0, 1.0, 2.0, 1.0])))
    return read_scans(["b.nii.gz", None, "a.nii.gz", "b.nii.gz"], tmp_path)


def test_rows_share_files_and_may_be_absent(scans):
    laid = resample_scans(scans, ScanResampling(None, True, PLAIN), None)
    assert len(laid) == 4
    assert laid.shape(1) is None
    assert laid.shape(2) == (4, 5, 6)
    assert laid.entry[0] == laid.entry[3]
    assert laid.cut(2, (0, 0, 0), (4, 5, 6))[3, 4, 5] == 119


def test_a_box_may_reach_beyond_the_grid(scans):
    laid = resample_scans(scans, ScanResampling(None, True, PLAIN), None)
    box = laid.cut(2, (-1, 0, 5), (3, 2, 4))
    assert box[0].max() == 0
    assert box[1, :, 0].tolist() == [5, 11]
    assert box[:, :, 1:].max() == 0
    assert laid.cut(1, (0, 0, 0), (2, 2, 2)).max() == 0


def test_a_whole_grid_is_put_into_an_extent_or_thinned_out(scans):
    laid = resample_scans(scans, ScanResampling(None, True, PLAIN), None)
    assert laid.whole(2, (8, 5, 6))[2:6].max() == 119
    assert laid.whole(2, (8, 5, 6))[0].max() == 0
    assert laid.whole(2, (2, 3, 3)).tolist() == laid.cut(2, (0, 0, 0), (4, 5, 6))[::2, ::2, ::2].tolist()


def test_many_scans_lie_in_a_file_of_the_cache(scans, tmp_path, monkeypatch):
    monkeypatch.setattr("polyclinic.records.scans.resampled._IN_MEMORY", 10)
    kept = resample_scans(scans, ScanResampling((1.0, 1.0, 1.0), True, PLAIN), tmp_path / "cache")
    assert list((tmp_path / "cache").glob("*.records"))
    plain = resample_scans(scans, ScanResampling((1.0, 1.0, 1.0), True, PLAIN), None)
    np.testing.assert_array_equal(kept.grids[0], plain.grids[0])
    assert kept.shape(0) == (4, 5, 12)
