import numpy as np
import pytest

from polyclinic.records.examples.scans import nifti_bytes
from polyclinic.records.scans.lattices import PER_SCAN
from polyclinic.records.scans.scans import read_scans
from polyclinic.records.scans.survey import NAMES, describe, suitable_intensity, survey


def scans_of(folder, arrays, steps):
    cells = []
    for number, (values, step) in enumerate(zip(arrays, steps, strict=True)):
        cells.append(f"{number}.nii.gz")
        (folder / cells[-1]).write_bytes(nifti_bytes(values, np.diag([*step, 1.0])))
    return read_scans(cells, folder)


def noise(shape, low=0, high=500, seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int16)


def test_spacing_is_the_median_and_sizes_follow(tmp_path):
    arrays = [noise((10, 10, 4)), noise((20, 20, 4)), noise((12, 12, 4))]
    found = survey(scans_of(tmp_path, arrays, [(1, 1, 5), (0.5, 0.5, 5), (1, 1, 4)]), [0, 1, 2], "auto", upright=True)
    assert found.spacing == (1.0, 1.0, 5.0)
    assert found.shape == (10, 10, 4)
    assert found.steps == found.spacing


def test_spacing_may_be_asked_for_or_left(tmp_path):
    scans = scans_of(tmp_path, [noise((10, 10, 4))], [(1, 1, 5)])
    assert survey(scans, [0], (2.0, 2.0, 2.0), upright=True).shape == (5, 5, 10)
    native = survey(scans, [0], "native", upright=True)
    assert native.spacing is None
    assert native.steps == pytest.approx((1, 1, 5))


def test_ct_is_measured_in_one_unit_and_air_does_not_count(tmp_path):
    arrays = [noise((10, 10, 10), -1000, 300, seed) for seed in range(3)]
    found = suitable_intensity(scans_of(tmp_path, arrays, [(1, 1, 1)] * 3), [0, 1, 2])
    assert -500 < found.low < -480
    assert found.centre == pytest.approx(-100, abs=20)


def test_mr_has_no_unit(tmp_path):
    scans = scans_of(tmp_path, [noise((5, 5, 5))], [(1, 1, 1)])
    assert suitable_intensity(scans, [0]) == PER_SCAN
    assert suitable_intensity(scans, [0], (40.0, 400.0)).high == 240.0


def test_drawn_shapes_share_their_bytes(tmp_path):
    shapes = np.random.default_rng(0).integers(0, 2, (3, 4, 4, 4)).astype(np.uint8)
    np.savez(tmp_path / "m.npz", train_images=shapes)
    scans = read_scans([f"m.npz#train_images[{n}]" for n in range(3)], tmp_path)
    assert suitable_intensity(scans, [0, 1, 2]).centre == pytest.approx(shapes.mean(), abs=1e-6)


def test_plain_numbers_of_any_size(tmp_path):
    arrays = [noise((5, 9, 30)), noise((2, 40, 3))]
    scans = scans_of(tmp_path, arrays, [(1, 1, 1)] * 2)
    for row in range(2):
        numbers = describe(scans.scan(row))
        assert numbers.shape == (len(NAMES),)
        assert np.isfinite(numbers).all()
