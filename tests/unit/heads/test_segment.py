"""Regions: masks held against their scans, views of them, thresholds, answers in the geometry of the file."""

import json

import nibabel
import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.errors import CohortError, ReadError
from polyclinic.evidence.forms.base import judge_of
from polyclinic.formats.packed import pack, unpack
from polyclinic.geometry import GridGeometry, Lattice, identity
from polyclinic.heads.base import GroundFacts, objects
from polyclinic.heads.segment import MaskTensors, RegionProbabilities, Segment
from polyclinic.tensors import Movement
from toys.dense import unlit

FLAT = GridGeometry((20, 24))
AFFINE = np.diag([2.0, 1.0, 3.0, 1.0])
SOLID = GridGeometry((10, 12, 8), AFFINE, (2.0, 1.0, 3.0), "mm")
ROWS = 4


def segment(**keys):
    return Segment("organ", Segment.Options.model_validate_json(json.dumps({"on": "scan", "column": "mask", **keys})))


def label(row, shape=(20, 24), value=1):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[2 + row : 9 + row, 3:10] = value
    mask[2 + row : 5 + row, 3:6] = 2 * value
    return mask


def flat(folder, masks):
    for row, mask in enumerate(masks):
        Image.fromarray(mask).save(folder / f"{row}.png")
    return pl.DataFrame({"mask": [f"{row}.png" for row in range(len(masks))]})


def solid(folder, masks, affine=AFFINE):
    for row, mask in enumerate(masks):
        nibabel.Nifti1Image(mask, affine).to_filename(folder / f"{row}.nii.gz")
    return pl.DataFrame({"mask": [f"{row}.nii.gz" for row in range(len(masks))]})


def matched(head, frame, folder, geometry=FLAT, cache=None, lit=unlit):
    return head.match(head.read_target(frame, "cohort.csv"), GroundFacts([geometry] * len(frame), lit, folder, cache))


def ready(folder, rows=ROWS, **keys):
    head = segment(**{"regions": ["rim", "core"], **keys})
    target = matched(head, flat(folder, [label(row) for row in range(rows)]), folder)
    return head.fit(target, TrainRows(np.arange(rows))), target


def findings(error):
    return [finding.name for finding in error.value.findings]


def test_regions_are_named_in_order(tmp_path):
    head, target = ready(tmp_path)
    assert head.plan.names == ("rim", "core")
    truth = unpack(head.decode(objects([None] * ROWS), target).truth[1])
    np.testing.assert_array_equal(truth[0], label(1) == 1)
    np.testing.assert_array_equal(truth[1], label(1) == 2)


def test_one_name_is_whatever_is_not_0(tmp_path):
    frame = flat(tmp_path, [np.where(label(row) > 0, 255, 0).astype(np.uint8) for row in range(ROWS)])
    head = segment(regions=["vessel"])
    target = matched(head, frame, tmp_path)
    fitted = head.fit(target, TrainRows(np.arange(ROWS)))
    assert unpack(fitted.decode(objects([None] * ROWS), target).truth[0])[0].sum() == 49


def test_labels_found_in_training_rows_become_regions(tmp_path):
    masks = [label(0), label(1), np.where(label(2) == 2, 7, 0).astype(np.uint8), label(3)]
    head = segment()
    target = matched(head, flat(tmp_path, masks), tmp_path)
    assert head.fit(target, TrainRows(np.array([0, 1]))).plan.names == ("label 1", "label 2")
    assert head.fit(target, TrainRows(np.array([2]))).plan.names == ("region",)


def test_regions_may_overlap_by_shared_labels(tmp_path):
    with pytest.raises(CohortError) as error:
        ready(tmp_path, regions={"whole": [1, 2], "core": 2})
    assert findings(error) == ["shared_label"]
    head, target = ready(tmp_path, regions={"whole": [1, 2], "core": 2}, overlapping=True)
    truth = unpack(head.decode(objects([None] * ROWS), target).truth[0])
    assert truth.sum(axis=(1, 2)).tolist() == [49, 9]
    assert (truth[0] & truth[1]).sum() == 9


def test_a_column_for_each_region(tmp_path):
    frame = flat(tmp_path, [label(0), label(1)])
    frame = pl.DataFrame({"liver": frame["mask"], "spleen": frame["mask"].reverse()})
    head = segment(column={"liver": "liver", "spleen": "spleen"})
    assert head.columns() == ("liver", "spleen")
    target = matched(head, frame, tmp_path)
    fitted = head.fit(target, TrainRows(np.arange(2)))
    truth = unpack(fitted.decode(objects([None] * 2), target).truth[0])
    np.testing.assert_array_equal(truth, np.stack([label(0) > 0, label(1) > 0]))


def test_a_mask_of_another_size_is_refused(tmp_path):
    masks = [label(0), label(1)[:, :20], label(2)[:19], label(3)]
    with pytest.raises(CohortError) as error:
        matched(segment(), flat(tmp_path, masks), tmp_path)
    assert findings(error) == ["other_size", "other_size"]
    assert [finding.rows for finding in error.value.findings] == [(2,), (3,)]
    assert "20 x 20 points instead of 20 x 24" in str(error.value)


def solid_label():
    return np.ones(SOLID.shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("affine", "name"),
    [
        (np.diag([2.0, 1.0, 2.5, 1.0]), "other_spacing"),
        (np.diag([-2.0, 1.0, 3.0, 1.0]), "other_orientation"),
        (AFFINE + np.array([[0, 0, 0, 40], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), "other_place"),
    ],
)
def test_a_mask_of_another_geometry_is_refused(tmp_path, affine, name):
    with pytest.raises(CohortError) as error:
        matched(segment(), solid(tmp_path, [solid_label()] * 2, affine), tmp_path, SOLID)
    assert findings(error) == [name]
    assert error.value.findings[0].rows == (1, 2)


def test_a_mask_with_its_axes_swapped_is_refused(tmp_path):
    swapped = np.ascontiguousarray(solid_label().transpose(1, 0, 2))
    with pytest.raises(CohortError) as error:
        matched(segment(), solid(tmp_path, [swapped], AFFINE[[1, 0, 2, 3]]), tmp_path, SOLID)
    assert findings(error) == ["other_size"]


def test_masks_that_lie_on_their_scans_are_taken(tmp_path):
    target = matched(segment(), solid(tmp_path, [solid_label()] * 2), tmp_path, SOLID)
    assert target.known.all()


@pytest.mark.parametrize("regions", [["rim", "core"], {"rim": 1}])
def test_labels_outside_the_declared_ones_are_refused(tmp_path, regions):
    masks = [label(0), np.where(label(1) == 2, 5, label(1)).astype(np.uint8)]
    with pytest.raises(CohortError) as error:
        matched(segment(regions=regions), flat(tmp_path, masks), tmp_path)
    assert findings(error) == ["unknown_label"]
    assert 2 in error.value.findings[0].rows


def test_several_labels_where_one_region_is_declared_are_refused(tmp_path):
    with pytest.raises(CohortError) as error:
        matched(segment(regions=["organ"]), flat(tmp_path, [label(0)]), tmp_path)
    assert findings(error) == ["unknown_label"]


@pytest.mark.parametrize("keys", [{}, {"regions": ["rim", "core"]}])
def test_empty_masks_in_all_training_rows_are_refused(tmp_path, keys):
    head = segment(**keys)
    masks = [np.zeros((20, 24), dtype=np.uint8)] * 3 + [label(0)]
    target = matched(head, flat(tmp_path, masks), tmp_path)
    with pytest.raises(CohortError) as error:
        head.fit(target, TrainRows(np.arange(3)))
    assert findings(error) == ["empty_masks"]


def test_a_region_that_no_training_row_has_is_refused_by_name(tmp_path):
    head = segment(regions=["rim", "core"])
    target = matched(head, flat(tmp_path, [(label(0) == 1).astype(np.uint8), label(1)]), tmp_path)
    with pytest.raises(CohortError, match="core: no record has"):
        head.fit(target, TrainRows(np.array([0])))


def test_unreadable_masks_are_told_together(tmp_path):
    frame = flat(tmp_path, [label(row) for row in range(4)])
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / "2.png").unlink()
    with pytest.raises(ReadError) as error:
        matched(segment(), frame, tmp_path)
    assert sorted(row for finding in error.value.findings for row in finding.rows) == [2, 3]


def test_no_mask_at_all_is_refused():
    with pytest.raises(CohortError) as error:
        segment().read_target(pl.DataFrame({"mask": [None, " "]}, schema={"mask": pl.String}), "cohort.csv")
    assert findings(error) == ["no_outcome"]


def test_rows_without_mask_or_scan_are_not_known(tmp_path):
    frame = flat(tmp_path, [label(row) for row in range(3)]).with_columns(mask=pl.Series(["0.png", None, "2.png"]))
    head = segment()
    target = head.match(head.read_target(frame, "cohort.csv"), GroundFacts([FLAT, FLAT, None], unlit, tmp_path, None))
    assert target.known.tolist() == [True, False, False]
    assert target.strata().tolist() == [1, -1, -1]


def test_masks_are_kept_in_the_cache_and_read_once(tmp_path):
    frame = flat(tmp_path, [label(row) for row in range(3)])
    first = matched(segment(), frame, tmp_path, cache=tmp_path / "cache")
    again = matched(segment(), frame, tmp_path, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    np.testing.assert_array_equal(first.masks.row(1), again.masks.row(1))


def view(placed, row, start, size):
    return placed.collate(np.array([row]), Movement(torch.tensor([start]), size, None, size))


def test_the_truth_is_cut_like_the_view(tmp_path):
    head, target = ready(tmp_path)
    placed = head.on_grid(target, [identity(FLAT)] * ROWS, None)
    tensors = view(placed, 1, [-2, 4], (16, 8))
    np.testing.assert_array_equal(tensors.truth[0, 0, 2:].numpy(), (label(1) == 1)[:14, 4:12])
    assert tensors.counts[0].sum() == 14 * 8
    assert not tensors.counts[0, :2].any()


def test_the_truth_turns_with_the_view(tmp_path):
    head, target = ready(tmp_path)
    placed = head.on_grid(target, [identity(FLAT)] * ROWS, None)
    mirror = torch.tensor([[[-1.0, 0, 0], [0, 1.0, 0]]])
    movement = Movement(torch.tensor([[0, 0]]), (20, 24), mirror, (20, 24))
    tensors = placed.collate(np.array([2]), movement)
    np.testing.assert_allclose(tensors.truth[0, 1].numpy(), (label(2) == 2)[:, ::-1], atol=1e-4)


def test_only_the_field_of_view_counts(tmp_path):
    field = np.zeros((20, 24), dtype=np.uint8)
    field[:10] = 255
    Image.fromarray(field).save(tmp_path / "field.png")
    frame = flat(tmp_path, [label(row) for row in range(2)]).with_columns(field=pl.lit("field.png"))
    head = segment(regions=["rim", "core"], within="field")
    target = matched(head, frame, tmp_path)
    head = head.fit(target, TrainRows(np.arange(2)))
    placed = head.on_grid(target, [identity(FLAT)] * 2, None)
    assert view(placed, 0, [0, 0], (20, 24)).counts[0].numpy().sum() == 240
    answer = head.decode(objects([None, None]), target)
    np.testing.assert_array_equal(unpack(answer.inside[1]), field > 0)
    aims = placed.aim(np.repeat(1, 200), np.random.default_rng(0))
    assert np.nanmax(aims[:, 0]) < 10


def test_half_of_the_views_are_aimed_and_rare_regions_as_often_as_others(tmp_path):
    head, target = ready(tmp_path)
    placed = head.on_grid(target, [identity(FLAT)] * ROWS, None)
    aims = placed.aim(np.repeat(0, 2000), np.random.default_rng(0))
    told = ~np.isnan(aims[:, 0])
    assert 0.45 < told.mean() < 0.55
    core = label(0)[tuple(aims[told].astype(int).T)] == 2
    assert 0.45 < core.mean() < 0.55


@pytest.mark.parametrize("overlapping", [False, True])
def test_the_loss_falls_as_the_answer_gets_right(tmp_path, overlapping):
    head, target = ready(tmp_path, overlapping=overlapping)
    placed = head.on_grid(target, [identity(FLAT)] * ROWS, None)
    tensors = view(placed, 0, [0, 0], (20, 24))
    right = 2 * tensors.truth - 1
    right = right if overlapping else torch.cat([1 - 2 * tensors.truth.sum(1, keepdim=True), right], dim=1)
    losses = [float(head.loss(factor * right, tensors)) for factor in (-1.0, 0.0, 1.0, 8.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.02
    unknown = MaskTensors(torch.tensor([False]), tensors.truth, tensors.counts)
    assert float(head.loss(right, unknown)) == 0


def test_points_that_do_not_count_add_nothing(tmp_path):
    head, target = ready(tmp_path)
    placed = head.on_grid(target, [identity(FLAT)] * ROWS, None)
    tensors = view(placed, 0, [10, 10], (20, 24))
    output = torch.randn(1, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    changed = torch.where(tensors.counts[:, None], output, output + 5)
    assert torch.allclose(head.loss(output, tensors), head.loss(changed, tensors))


def test_windows_are_put_together_in_the_geometry_of_the_file(tmp_path):
    source = GridGeometry((30, 22))
    place = Lattice((20, 24), source, np.array([[1.5, 0, 0.25], [0, 22 / 24, (22 / 24 - 1) / 2]]))
    head, _ = ready(tmp_path)
    gatherer = head.gatherer(place)
    size = (12, 12)
    for start in ([0, 0], [0, 12], [8, 0], [8, 12], [4, 6]):
        output = torch.zeros(1, 3, *size)
        output[:, 1] = 20.0
        gatherer.add(output, Movement(torch.tensor([start]), size, None, size))
    said = gatherer.close()
    assert unpack(said.probability).shape == (2, 30, 22)
    assert (unpack(said.probability)[0] == 65535).all()
    assert not unpack(said.probability)[1].any()


def said_of(mask, doubt=0):
    return RegionProbabilities(pack(np.clip(mask * (255 - doubt), 0, 255).astype(np.uint8)), None)


def test_thresholds_are_chosen_where_regions_overlap(tmp_path):
    head, target = ready(tmp_path, overlapping=True)
    truth = [unpack(packed) for packed in head.decode(objects([None] * ROWS), target).truth]
    raws = objects([said_of(one, doubt=200) for one in truth])
    assert not head.marks(head.decode(raws, target), 0).predicted.any()
    calibrated = head.calibrate(raws, target, "auto")
    answer = calibrated.decode(raws, target)
    assert all((calibrated.marks(answer, row).predicted == truth[row]).all() for row in range(ROWS))
    assert head.calibrate(raws, target, "none").plan.thresholds == (0.5, 0.5)


def test_exclusive_regions_need_no_threshold(tmp_path):
    head, target = ready(tmp_path)
    truth = [unpack(packed) for packed in head.decode(objects([None] * ROWS), target).truth]
    raws = objects([said_of(one, doubt=90) for one in truth])
    answer = head.calibrate(raws, target, "auto").decode(raws, target)
    assert (head.marks(answer, 0).predicted == truth[0]).all()
    assert judge_of(answer).headline[0] == "dice"


def test_several_fits_are_averaged(tmp_path):
    head, target = ready(tmp_path)
    truth = unpack(head.decode(objects([None] * ROWS), target).truth[0])
    answers = [head.decode(objects([said_of(truth, doubt)] * ROWS), target) for doubt in (0, 100)]
    averaged = average_answers(tuple(answers))
    assert unpack(averaged.probability[0]).max() == 205


def test_spacing_and_unit_are_those_of_the_scans(tmp_path):
    head = segment()
    target = matched(head, solid(tmp_path, [solid_label()] * 2), tmp_path, SOLID)
    head = head.fit(target, TrainRows(np.arange(2)))
    gatherer = head.gatherer(identity(SOLID))
    gatherer.add(torch.zeros(1, 2, 10, 12, 8), Movement(torch.zeros(1, 3, dtype=torch.int64), SOLID.shape))
    answer = head.decode(objects([gatherer.close(), None]), target)
    assert answer.unit == "mm"
    assert answer.spacing[0].tolist() == [2, 1, 3]
    assert judge_of(answer).known(answer).tolist() == [True, False]


def test_doubts_are_notes(tmp_path):
    masks = [label(0), np.zeros((20, 24), dtype=np.uint8)]
    head = segment()
    target = matched(head, flat(tmp_path, masks), tmp_path)
    assert [(f.name, f.rows) for f in target.check("here")] == [("empty_mask", (2,))]


def round_field():
    down, across = np.indices((20, 24))
    return (down - 10) ** 2 + (across - 12) ** 2 < 64


def looking_within(folder, lit):
    """A head that looks within a round field, which its training pictures show as ``lit`` says."""
    Image.fromarray(round_field().astype(np.uint8) * 255).save(folder / "field.png")
    frame = flat(folder, [label(row) for row in range(2)]).with_columns(field=pl.lit("field.png"))
    head = segment(regions=["rim", "core"], within="field")
    target = matched(head, frame, folder, lit=lit)
    return head.fit(target, TrainRows(np.arange(2)))


def asked_anew(head, frame, folder, lit):
    question = head.match(head.read_new(frame, "new.csv"), GroundFacts([FLAT] * len(frame), lit, folder, None))
    everywhere = pack(np.full((2, 20, 24), 65535, dtype=np.uint16) * np.array([1, 0], dtype=np.uint16)[:, None, None])
    answer = head.decode(objects([RegionProbabilities(everywhere, None)] * len(frame)), question)
    return [answer.decided(row)[0] for row in range(len(frame))], question.check_new()


def test_new_answers_stop_at_the_field_of_view_that_the_table_gives(tmp_path):
    head = looking_within(tmp_path, lambda row: None)
    frame = pl.DataFrame({"field": ["field.png", None]})
    found, told = asked_anew(head, frame, tmp_path, lambda row: None)
    np.testing.assert_array_equal(found[0], round_field())
    assert found[1].all()
    assert [(f.name, f.place, f.rows) for f in told] == [("field_lacking", 'new.csv column "field"', (2,))]


def test_where_the_field_is_lacking_the_lit_part_stands_for_it_if_it_did_in_training(tmp_path):
    head = looking_within(tmp_path, lambda row: round_field())
    assert head.plan.lit_overlap == 1.0
    found, told = asked_anew(head, pl.DataFrame({"eye": ["a", "b"]}), tmp_path, lambda row: round_field())
    np.testing.assert_array_equal(found[1], round_field())
    assert [(f.name, f.rows) for f in told] == [("field_by_rule", (1, 2))]


def test_where_lit_part_and_fields_differed_in_training_it_is_not_used(tmp_path):
    head = looking_within(tmp_path, lambda row: ~round_field())
    assert head.plan.lit_overlap == 0.0
    found, told = asked_anew(head, pl.DataFrame({"eye": ["a"]}), tmp_path, lambda row: round_field())
    assert found[0].all()
    assert [f.name for f in told] == ["field_lacking"]


def test_a_study_that_looks_everywhere_asks_nothing_of_new_tables():
    assert segment().read_new(pl.DataFrame({"eye": ["a"]}), "new.csv") is None
