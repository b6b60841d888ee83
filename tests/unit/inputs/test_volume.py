import json

import numpy as np
import polars as pl
import pytest
import torch

from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, ReadError
from polyclinic.inputs.volume import Volume
from polyclinic.records.base import ColumnCells
from polyclinic.records.examples.scans import nifti_bytes
from polyclinic.study.schema import Size

ROWS = TrainRows(np.arange(2))


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 500, shape).astype(np.int16)


def write(folder, arrays, steps=(1.0, 1.0, 1.0)) -> ColumnCells:
    paths = []
    for number, values in enumerate(arrays):
        paths.append(f"{number}.nii.gz")
        (folder / paths[-1]).write_bytes(nifti_bytes(values, np.diag([*steps, 1.0])))
    return ColumnCells(pl.DataFrame({"mr": paths}), folder, "cohort.csv", None)


def volume(**options) -> Volume:
    return Volume("mr", Volume.Options.model_validate_json(json.dumps({"column": "mr", **options})))


def test_the_plan_can_be_read_and_holds_the_network(tmp_path):
    kind = volume().facing()
    records = kind.read(write(tmp_path, [noise((40, 48, 20)), noise((40, 52, 20), 1)], (1.0, 1.0, 3.0)))
    plan = kind.fit(records, ROWS).plan
    assert plan.dense
    assert plan.spacing == (1.0, 1.0, 3.0)
    assert plan.shape == (40, 50, 20)
    assert plan.extent == (40, 48, 16)
    assert plan.strides[1] == (2, 2, 1)
    assert plan.kernels[0] == (3, 3, 1)


def test_numbers_may_be_given(tmp_path):
    kind = volume(spacing=2.0, window=[40, 400], patch=16, network="2").facing()
    fitted = kind.fit(kind.read(write(tmp_path, [noise((40, 40, 20))] * 2)), ROWS)
    assert fitted.plan.spacing == (2.0, 2.0, 2.0)
    assert fitted.plan.extent == (16, 16, 1)
    assert fitted.plan.intensity.high == 240.0
    assert "-160 to 240" in " ".join(fitted.parameters_note())


def test_a_wrong_column_or_file_is_named_by_row(tmp_path):
    cells = write(tmp_path, [noise((8, 8, 8))])
    with pytest.raises(CohortError, match="no column"):
        volume(column="ct").read(cells)
    (tmp_path / "0.nii.gz").write_bytes(b"no scan")
    with pytest.raises(ReadError) as caught:
        volume().read(cells)
    assert caught.value.findings[0].rows == (1,)
    assert len(volume(missing="allow").read(cells)) == 1


def test_a_file_on_its_side_is_seen_upright_and_answered_on_its_side(tmp_path):
    values = noise((12, 16, 20))
    turned = np.zeros((4, 4))
    turned[0, 2] = turned[1, 0] = turned[2, 1] = turned[3, 3] = 1.0
    (tmp_path / "a.nii.gz").write_bytes(nifti_bytes(values, np.eye(4)))
    (tmp_path / "b.nii.gz").write_bytes(nifti_bytes(values.transpose(1, 2, 0), turned))
    kind = volume().facing()
    records = kind.read(ColumnCells(pl.DataFrame({"mr": ["a.nii.gz", "b.nii.gz"]}), tmp_path, "cohort.csv", None))
    fitted = kind.fit(records, ROWS)
    ready = fitted.prepare(records)
    np.testing.assert_array_equal(ready.values(0), ready.values(1))
    assert [one.shape for one in records.geometry()] == [(12, 16, 20), (16, 20, 12)]
    assert [place.shape for place in ready.places()] == [(12, 16, 20)] * 2


def test_windows_put_together_give_the_grid_back(tmp_path):
    kind = volume(patch=8).facing()
    records = kind.read(write(tmp_path, [noise((20, 9, 5)), noise((20, 9, 5), 1)]))
    fitted = kind.fit(records, ROWS)
    ready = fitted.prepare(records)
    whole = ready.values(0)[0]
    again = np.full(whole.shape, np.nan, dtype=np.float32)
    for tensors, movement in ready.windows(0):
        for view, start in zip(tensors.values.numpy()[:, 0], movement.start.tolist(), strict=True):
            low = [max(0, s) for s in start]
            high = [min(n, s + c) for n, s, c in zip(whole.shape, start, movement.cut, strict=True)]
            inner = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
            again[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = view[inner]
    np.testing.assert_array_equal(again, whole)


def test_maps_are_as_promised(tmp_path):
    kind = volume().facing()
    records = kind.read(write(tmp_path, [noise((18, 17, 16))] * 2))
    fitted = kind.fit(records, ROWS)
    ready = fitted.prepare(records)
    aim = np.array([[3.0, 4.0, 5.0], [np.nan] * 3])
    tensors, movement = ready.draw(np.array([0, 1]), aim, torch.Generator().manual_seed(0), change=True)
    encoded = fitted.encoder(8, Size.TINY, None)(tensors)
    sight = fitted.sight(Size.TINY)
    assert movement.size == (16, 16, 16)
    for one, channel, stride in zip(encoded.maps, sight.channels, sight.strides, strict=True):
        assert one.shape == (2, channel, *(n // s for n, s in zip(movement.size, stride, strict=True)))


def test_an_absent_volume_while_training_does_not_disturb_the_statistics(tmp_path):
    cells = write(tmp_path, [noise((9, 9, 9)), noise((9, 9, 9), 1)])
    gone = ColumnCells(
        cells.frame.with_columns(pl.when(pl.int_range(2) == 0).then(pl.col("mr"))), tmp_path, "t.csv", None
    )
    kind = volume(missing="allow")
    fitted = kind.fit(kind.read(cells), ROWS)
    ready = fitted.prepare(kind.read(gone))
    encoder = fitted.encoder(8, Size.TINY, 0.0).train()
    tensors = ready.collate(np.array([0, 1, 1]))
    assert tensors.present.tolist() == [True, False, False]
    encoded = encoder(tensors)
    assert encoded.maps[0][1:].abs().max() == 0
    encoded.tokens.sum().backward()
    assert encoder(ready.collate(np.array([1]))).tokens.abs().max() == 0


def test_mirrors_are_only_used_where_asked(tmp_path):
    records = volume().read(write(tmp_path, [noise((8, 8, 8))] * 2))
    still = {"shift": 0.0, "zoom": 0.0, "tilt": 0.0, "brightness": 0.0, "contrast": 0.0, "gamma": 0.0, "noise": 0.0}
    fitted = volume(**still).fit(records, ROWS)
    ready = fitted.prepare(records)
    plain = ready.collate(np.zeros(8, dtype=np.int64))
    same, _ = ready.augment(plain, torch.Generator().manual_seed(1))
    torch.testing.assert_close(same.values, plain.values)
    mirrored = volume(**still, flips=["right"]).fit(records, ROWS).prepare(records)
    turned, movement = mirrored.augment(plain, torch.Generator().manual_seed(1))
    assert not torch.equal(turned.values, plain.values)
    torch.testing.assert_close(turned.values.sort(dim=2).values, plain.values.sort(dim=2).values, rtol=1e-3, atol=1e-3)
    assert movement.affine is not None


def test_answers_are_mirrored_as_training_was(tmp_path):
    cells = write(tmp_path, [noise((12, 16, 20), 1)] * 2)
    records = volume().read(cells)

    def ready(**keys):
        return volume(**keys).facing().fit(records, ROWS).prepare(records)

    assert ready().mirrors() == ()
    assert ready(flips=["right", "head"], mirror_answers=False).mirrors() == ()
    mirroring = ready(flips=["right", "head"])
    assert mirroring.mirrors() == ((0,), (2,), (0, 2))
    tensors, _ = next(mirroring.windows(0))
    for axes in mirroring.mirrors():
        assert torch.equal(mirroring.mirrored(tensors, axes).values[0, 0], tensors.values[0, 0].flip(axes))
