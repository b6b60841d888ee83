import numpy as np
import polars as pl
import pytest

from polyclinic.errors import StudyError
from polyclinic.steps.example_cohort import example_cohort
from polyclinic.study.read import read_study


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    made = [
        example_cohort(
            tmp_path / name, {"labs": "tabular", "film": "image"}, {"sick": "classify"}, patients=12, seed=seed
        )
        for name, seed in (("one", 3), ("two", 3), ("other", 4))
    ]
    tables = [one.table.read_bytes() for one in made]
    films = [(one.table.parent / "film" / "00000.png").read_bytes() for one in made]
    assert tables[0] == tables[1] != tables[2]
    assert films[0] == films[1] != films[2]


def test_the_signal_is_where_it_is_said_to_be(tmp_path):
    made = example_cohort(tmp_path, {"labs": "tabular"}, {"level": "regress", "sick": "classify"}, patients=400)
    table = pl.read_csv(made.table)

    def correlation(column: str) -> float:
        cells = table[column].cast(pl.Float64).fill_null(table[column].cast(pl.Float64).mean()).to_numpy()
        return float(abs(np.corrcoef(cells, made.signal)[0, 1]))

    assert correlation("labs_marker") > 0.7
    assert correlation("level") > 0.5
    assert correlation("labs_noise_1") < 0.2
    sick = (table["sick"] == "yes").to_numpy()
    assert made.signal[sick].mean() > made.signal[~sick].mean() + 0.8


def test_patients_may_come_more_than_once(tmp_path):
    made = example_cohort(tmp_path, {"labs": "tabular"}, {"sick": "classify"}, patients=100, visits=3)
    patients = pl.read_csv(made.table)["patient_id"]
    assert patients.n_unique() == 100
    assert len(patients) == len(made.signal) == 300
    by_patient = made.signal.reshape(100, 3)
    assert by_patient.std(axis=1).mean() < 0.5 * made.signal.std()


def test_the_study_file_is_one_and_takes_settings(tmp_path):
    settings = {"study": {"seed": 9}, "training": {"epochs": 3}}
    made = example_cohort(tmp_path, {"labs": "tabular"}, {"sick": "classify"}, patients=12, settings=settings)
    study = read_study(made.study)
    assert study.study.seed == 9
    assert study.study.name == "synthetic"
    assert study.training.epochs == 3


def test_a_kind_that_does_not_exist(tmp_path):
    with pytest.raises(StudyError, match='Did you mean "tabular"'):
        example_cohort(tmp_path, {"labs": "tabula"}, {"sick": "classify"})
