"""Cells: read, matched, moved with a view, gathered from windows, told apart, scored and measured."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from PIL import Image

from known.drawn_cells import pictures
from polyclinic.answers.base import average_answers
from polyclinic.cohort.rows import TrainRows
from polyclinic.decoding.watershed import lesson
from polyclinic.errors import CohortError, ReadError
from polyclinic.evidence.metrics import instances
from polyclinic.formats.packed import pack, unpack
from polyclinic.geometry import GridGeometry, GridKnown, Lattice, ObjectMarks, identity
from polyclinic.heads.base import GroundFacts, objects
from polyclinic.heads.cells import Cells, FoundCells
from polyclinic.tensors import Encoded, Fused, Movement, Sight
from toys.dense import unlit

ROWS, SHAPE = 6, (96, 120)
GRID = GridGeometry(SHAPE)


def head(**keys):
    return Cells("nuclei", Cells.Options(on="film", column="cells", **keys))


@pytest.fixture
def folder(tmp_path):
    for row in range(ROWS):
        Image.fromarray(pictures(row)[0].astype(np.uint16)).save(tmp_path / f"{row}.png")
    return tmp_path


def matched(kind, folder, cells=None, geometry=None):
    cells = cells or [f"{row}.png" for row in range(ROWS)]
    target = kind.read_target(pl.DataFrame({"cells": cells}), "cohort.csv")
    return kind.match(target, GroundFacts(geometry or [GRID] * len(cells), unlit, folder, None))


def fitted(folder, **keys):
    kind = head(**keys)
    target = matched(kind, folder)
    return kind.fit(target, TrainRows(np.arange(ROWS))), target


def sure(labels, spacing=None):
    """What a network without fault would say."""
    return FoundCells(pack(lesson(labels)[0]), spacing)


def test_cells_are_matched_with_their_pictures_and_counted(folder):
    _, target = fitted(folder)
    assert target.known.all()
    assert target.count.tolist() == [len(np.unique(pictures(row)[0])) - 1 for row in range(ROWS)]
    assert (unpack(target.cells[0]) > 0).sum() == (pictures(0)[0] > 0).sum()


def test_unknown_cells_stay_unknown_and_an_empty_folder_means_none(folder):
    (folder / "none").mkdir()
    target = matched(head(), folder, ["0.png", None, "none"])
    assert target.known.tolist() == [True, False, True]
    assert target.cells[1] == b""
    assert unpack(target.cells[2]).shape == SHAPE
    names = {finding.name: finding.rows for finding in target.check("here")}
    assert names == {"unknown_outcome": (2,), "no_cells": (3,)}


def test_cells_drawn_over_each_other_are_told(folder):
    (folder / "over").mkdir()
    for name, place in (("a", slice(0, 30)), ("b", slice(20, 40))):
        mask = np.zeros(SHAPE, dtype=np.uint8)
        mask[place, 5:9] = 255
        Image.fromarray(mask).save(folder / "over" / f"{name}.png")
    finding = matched(head(), folder, ["0.png", "over"]).check("here")[0]
    assert (finding.name, finding.rows, finding.found) == ("cells_overlap", (2,), "40 points are two's")


def test_bad_files_and_other_grids_are_refused_together_with_their_rows(folder):
    (folder / "bad.png").write_bytes(b"\x89PNG no")
    with pytest.raises(ReadError) as caught:
        matched(head(), folder, ["0.png", "bad.png", "lost.png"])
    assert sorted(row for finding in caught.value.findings for row in finding.rows) == [2, 3]
    with pytest.raises(CohortError) as refused:
        matched(head(), folder, ["0.png", "1.png"], [GridGeometry((5, 5)), GridGeometry((4, 5, 6))])
    assert {finding.name: finding.rows for finding in refused.value.findings} == {
        "not_flat": (2,),
        "other_extent": (1,),
    }


def test_a_column_that_is_not_there_or_empty_is_refused():
    for frame in (pl.DataFrame({"other": ["a"]}), pl.DataFrame({"cells": [None, ""]})):
        with pytest.raises(CohortError):
            head().read_target(frame, "cohort.csv")


def test_one_number_for_all_cells_is_a_warning(folder):
    Image.fromarray((pictures(0)[0] > 0).astype(np.uint8)).save(folder / "all.png")
    assert "one_number" in {finding.name for finding in matched(head(), folder, ["all.png"] * 3).check("here")}


def test_the_smallest_cell_comes_from_training_rows_or_from_the_user(folder):
    kind, target = fitted(folder)
    areas = np.concatenate([np.bincount(unpack(one).ravel())[1:] for one in target.cells])
    assert 0 < kind.plan.smallest < areas.min()
    assert fitted(folder, min_area=10.0, pixel_um=0.5)[0].plan.smallest == 40


def test_maps_move_with_the_view(folder):
    kind, target = fitted(folder)
    placed = kind.on_grid(target, [identity(GRID)] * ROWS, None)
    start = torch.tensor([[-8, 30], [70, -4]])
    whole = placed.collate(np.array([0, 1]), Movement(start, (40, 40), None, (40, 40)))
    assert whole.counts[0, :8].sum() == 0
    assert whole.counts[0, 8:].min() == 1
    truth = unpack(target.cells[0]) > 0
    assert (whole.foreground[0, 8:].numpy() == truth[:32, 30:70]).all()
    mirror = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]).repeat(2, 1, 1)
    moved = placed.collate(np.array([0, 1]), Movement(start, (40, 40), mirror, (40, 40)))
    assert (moved.foreground == whole.foreground.flip(2)).all()
    assert torch.allclose(moved.height, whole.height.flip(2), atol=1e-5)


def test_views_are_aimed_at_cells_but_not_always(folder):
    kind, target = fitted(folder)
    placed = kind.on_grid(target, [identity(GRID)] * (ROWS - 1) + [None], None)
    aims = placed.aim(np.zeros(200, dtype=int), np.random.default_rng(1))
    free = np.isnan(aims[:, 0])
    assert 0.1 < free.mean() < 0.4
    assert len(np.unique(aims[~free], axis=0)) == target.count[0]
    assert np.isnan(placed.aim(np.array([ROWS - 1]), np.random.default_rng(1))).all()


def test_the_loss_falls_with_better_maps_and_is_nothing_where_the_truth_is_not_known(folder):
    kind, target = fitted(folder)
    placed = kind.on_grid(target, [identity(GRID)] * (ROWS - 1) + [None], None)
    tensors = placed.collate(np.array([0, ROWS - 1]), Movement(torch.zeros(2, 2, dtype=torch.int64), (32, 32)))
    good = torch.logit(torch.stack([tensors.foreground, tensors.height], dim=1), eps=0.01)
    losses = [kind.loss(output, tensors) for output in (good, torch.zeros_like(good), -good)]
    assert losses[0][0] < losses[1][0] < losses[2][0]
    assert [float(loss[1]) for loss in losses] == [0, 0, 0]


def test_windows_come_together_in_the_file(folder):
    kind, _ = fitted(folder, pixel_um=0.25)
    maps = torch.from_numpy(lesson(pictures(0)[0])[0] / np.float32(255))[None]
    gatherer = kind.gatherer(identity(GRID))
    for top, left in ((0, 0), (0, 60), (40, 0), (40, 60)):
        view = torch.zeros(1, 2, 64, 64)
        view[:, :, : SHAPE[0] - top, : SHAPE[1] - left] = maps[:, :, top : top + 64, left : left + 64]
        gatherer.add(torch.logit(view, eps=1e-4), Movement(torch.tensor([[top, left]]), (64, 64), None, (64, 64)))
    said = gatherer.close()
    assert said.spacing == (0.25, 0.25)
    assert np.abs(unpack(said.packed).astype(int) - np.rint(255 * maps[0].numpy())).max() <= 1


def test_a_coarser_grid_answers_in_the_grid_of_the_file(folder):
    kind, _ = fitted(folder)
    coarse = Lattice(
        (48, 60), GridGeometry(SHAPE, None, (0.002, 0.002), "mm"), np.array([[2.0, 0, 0.5], [0, 2.0, 0.5]])
    )
    gatherer = kind.gatherer(coarse)
    gatherer.add(torch.zeros(1, 2, 48, 60), Movement())
    said = gatherer.close()
    assert unpack(said.packed).shape == (2, *SHAPE)
    assert said.spacing == pytest.approx((2, 2))


def test_cells_without_fault_come_back_scored(folder):
    kind, target = fitted(folder)
    said = objects([sure(unpack(one), (0.5, 0.5)) for one in target.cells])
    kind = kind.calibrate(said, target, "auto")
    answer = kind.decode(said, target)
    judged = [instances.judge(unpack(t), unpack(p))[0] for t, p in zip(answer.truth, answer.predicted, strict=True)]
    assert np.mean([one.aji for one in judged]) > 0.9
    assert min(unpack(one).min() for one in answer.scores) > 0.5
    assert answer.unit == "um"
    assert answer.spacing.tolist() == [[0.5, 0.5]] * ROWS


def test_specks_that_are_no_cells_are_left_out_as_tune_rows_tell(folder):
    kind, target = fitted(folder)
    assert kind.plan.smallest > 9
    maps = [lesson(unpack(one))[0].copy() for one in target.cells]
    for one in maps:
        free = one[0] == 0
        for down in range(0, SHAPE[0] - 5, 8):
            for across in range(0, SHAPE[1] - 5, 8):
                speck = (slice(down + 1, down + 5), slice(across + 1, across + 5))
                if free[down : down + 6, across : across + 6].all():
                    one[0][speck] = 255
    said = objects([FoundCells(pack(one), None) for one in maps])
    least = kind.calibrate(said, target, "auto")
    assert 16 < least.plan.smallest <= 3 * kind.plan.smallest
    found = least.decode(said, target)
    assert [unpack(one).max() for one in found.predicted] == target.count.tolist()
    given = fitted(folder, min_area=9.0)[0].calibrate(said, target, "auto")
    assert given.plan.smallest == 9


def test_lengths_of_pixels_may_stand_in_a_column_also_for_new_patients(folder):
    kind = head(pixel_um="um")
    frame = pl.DataFrame({"cells": ["0.png", "1.png"], "um": [0.5, None]})
    target = kind.match(kind.read_target(frame, "cohort.csv"), GroundFacts([GRID] * 2, unlit, folder, None))
    said = objects([sure(unpack(one)) for one in target.cells])
    kind = kind.fit(target, TrainRows(np.arange(2)))
    np.testing.assert_array_equal(kind.decode(said, target).spacing, [[0.5, 0.5], [np.nan, np.nan]])
    asked = kind.read_new(frame.select("um"), "new.csv")
    assert kind.decode(said, kind.match(asked, GroundFacts([GRID] * 2, unlit, folder, None))).spacing[0].tolist() == [
        0.5,
        0.5,
    ]
    assert kind.read_new(pl.DataFrame({"other": [1]}), "new.csv") is None
    with pytest.raises(CohortError) as caught:
        kind.read_target(pl.DataFrame({"cells": ["0.png"] * 3, "um": ["0.5", "0", "wide"]}), "cohort.csv")
    assert caught.value.findings[0].rows == (2, 3)


def test_a_row_without_picture_has_no_cells_and_an_unknown_truth_stays_so(folder):
    kind, target = fitted(folder)
    answer = kind.decode(objects([None, sure(pictures(1)[0])]), target.take(np.array([0, 1])))
    assert unpack(answer.predicted[0]).shape == SHAPE
    assert not unpack(answer.predicted[0]).any()
    new = kind.decode(objects([None, sure(pictures(1)[0])]), None)
    assert list(new.truth) == [b"", b""]
    assert new.predicted[0] == average_answers((new, new)).predicted[0] == b""
    assert kind.marks(new, 0).predicted is None
    assert new.unit == "px"


def test_several_fits_vote(folder):
    kind, target = fitted(folder)
    truth = unpack(target.cells[0])
    missed = np.where(truth == 1, 0, truth)
    answers = [kind.decode(objects([sure(one)]), target.take(np.array([0]))) for one in (truth, truth, missed)]
    agreed = unpack(average_answers(tuple(answers)).predicted[0])
    assert instances.judge(truth, agreed)[0].aji > 0.9
    assert average_answers((answers[0],)) is answers[0]


def test_cells_that_are_told_apart_already_are_taken_as_they_are(folder):
    kind, target = fitted(folder)
    said = objects([FoundCells(pack(unpack(one)), None) for one in target.cells])
    answer = kind.calibrate(said, target, "auto").decode(said, target)
    assert (unpack(answer.predicted[0]) == unpack(target.cells[0])).all()


def test_the_layer_reads_the_finest_map_of_its_input():
    layer = head().map_layer(Sight(2, (8, 16), ((2, 2), (4, 4))))
    seen = Encoded(torch.zeros(1, 1, 4), torch.ones(1, 1, dtype=torch.bool), (torch.zeros(3, 8, 10, 12),))
    fused = Fused(torch.zeros(3, 1, 4), torch.zeros(3, 1, 4), torch.ones(3, 1, dtype=torch.bool), None, {"film": seen})
    assert layer(fused).shape == (3, 2, 20, 24)


def test_the_example_writes_what_is_known(tmp_path):
    known = [GridKnown(GRID, pictures(row)[0]) for row in range(3)]
    frame, keys = Cells.example_on(np.random.default_rng(1), known, tmp_path, "nuclei")
    kind = Cells("nuclei", Cells.Options(on="film", **keys))
    target = kind.match(kind.read_target(frame, "cohort.csv"), GroundFacts([GRID] * 3, unlit, Path(tmp_path), None))
    assert target.count.tolist() == [len(np.unique(one.objects)) - 1 for one in known]


def test_marks_show_both_outlines(folder):
    kind, target = fitted(folder)
    answer = kind.decode(objects([sure(pictures(0)[0])]), target.take(np.array([0])))
    marks = kind.marks(answer, 0)
    assert isinstance(marks, ObjectMarks)
    assert marks.truth.shape == marks.predicted.shape == SHAPE
