"""Answers of all epochs: whose rows choose, whose rows are answered, and what is read back from a checkpoint."""

import numpy as np

from polyclinic.training.epochs.tune_history import TuneEpoch, TuneHistory, best_common_epoch, small_enough


def history(losses: np.ndarray) -> TuneHistory:
    """The output of a row after an epoch is 100 times the epoch plus the row."""
    epochs, rows = losses.shape
    said = 100.0 * np.arange(epochs)[:, None] + np.arange(rows)
    return TuneHistory(losses, {"sick": said[:, :, None, None]})


def test_no_row_is_answered_by_an_epoch_that_it_chose():
    """Every row is judged best after an epoch of its own: others never choose it."""
    rows = 10
    losses = np.ones((rows, rows)) - np.eye(rows)
    fair = history(losses).crossed(np.arange(rows), seed=3)["sick"].ravel()
    chosen = (fair // 100).astype(int)
    assert (fair % 100).astype(int).tolist() == list(range(rows))
    assert all(chosen[row] != row for row in range(rows))


def test_rows_of_a_patient_choose_nothing_for_each_other():
    """Both rows of a patient like one epoch, that nobody else likes."""
    patient = np.repeat(np.arange(10), 2)
    losses = np.ones((11, 20))
    losses[patient + 1, np.arange(20)] = 0.0
    chosen = (history(losses).crossed(patient, seed=0)["sick"].ravel() // 100).astype(int)
    assert all(chosen[row] != patient[row] + 1 for row in range(20))


def test_what_all_rows_agree_upon_is_chosen():
    losses = np.tile(np.array([3.0, 1.0, 2.0])[:, None], (1, 12))
    fair = history(losses).crossed(np.arange(12), seed=1)["sick"].ravel()
    np.testing.assert_array_equal(fair, 100 + np.arange(12))


def test_a_lone_patient_is_answered_after_the_last_epoch():
    losses = np.array([[1.0, 1.0], [0.0, 0.0], [5.0, 5.0]])
    fair = history(losses).crossed(np.zeros(2, dtype=np.int64), seed=1)["sick"].ravel()
    np.testing.assert_array_equal(fair, [200, 201])


def test_an_epoch_whose_loss_is_no_number_is_never_chosen():
    losses = np.array([[np.nan] * 8, [2.0] * 8, [3.0] * 8])
    assert set(history(losses).crossed(np.arange(8), seed=1)["sick"].ravel() // 100) == {1.0}
    assert best_common_epoch([history(losses)]) == 2


def test_the_common_epoch_suits_all_rows_and_was_reached_by_all():
    one = np.array([[4.0, 4.0], [1.0, 1.0], [3.0, 3.0]])
    other = np.array([[4.0], [9.0], [3.0], [0.0]])
    assert best_common_epoch([history(one)]) == 2
    assert best_common_epoch([history(one), history(other)]) == 3, (
        "rows count, not networks; the fourth is out of reach"
    )


def test_read_back_from_tensors_it_is_the_same():
    epochs = [TuneEpoch(np.array([1.0, 2.0 + k]), {"sick": np.full((2, 1, 1), k, np.float32)}) for k in range(3)]
    whole = TuneHistory.of(epochs)
    back = TuneHistory.from_tensors(whole.tensors())
    assert len(back) == 3
    np.testing.assert_array_equal(back.losses, whole.losses)
    np.testing.assert_array_equal(back.at(3)["sick"], np.full((2, 1, 1), 2))
    assert [one.losses.tolist() for one in back.epochs()] == [one.losses.tolist() for one in epochs]


def test_without_epochs_there_is_nothing():
    assert len(TuneHistory.from_tensors({})) == 0
    assert TuneHistory.of([]).crossed(np.arange(4), seed=1) == {}


def test_what_would_not_fit_into_memory_is_not_kept():
    wide = TuneEpoch(np.zeros(1000), {"code": np.zeros((1000, 1, 1000), np.float32)})
    assert small_enough(wide, 10)
    assert not small_enough(wide, 1000)
