import numpy as np
import pytest

from polyclinic.cohort.plausible import impossible, limits_of, possible_range


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "expected"),
    [
        ("age", 18, 90, (0, 130)),
        ("Age_Years", 18, 90, (0, 130)),
        ("age", 18, 999, None),
        ("age", -1.2, 2.1, None),
        ("temp_c", 35, 41, (12, 48)),
        ("temp_c", 95, 104, (53, 120)),
        ("temp_c", 35, 104, None),
        ("marker", 18, 90, None),
    ],
)
def test_the_range_is_that_of_the_unit_of_the_known_values(name, lowest, highest, expected):
    assert possible_range(name, lowest, highest) == expected


def test_impossible_values_are_those_of_the_unit_that_fits_best():
    limits = limits_of("body temperature")
    assert impossible(np.array([36.0, 37, 38, 98]), limits).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ("Alter|Alter (Jahre)|âge (ans)|Âge|Edad|edad (años)|年龄|年龄（岁）|Age (years)", "age"),
        ("Körpergröße|Körpergröße (cm)|Größe (cm)|taille|Taille (cm)|身高|身高(cm)|Height (cm)", "height"),
        ("Gewicht|Gewicht (kg)|Körpergewicht [kg]|poids (kg)|Peso|体重|体重(kg)|weight_kg", "weight"),
        ("Temperatur|Temperatur (°C)|température|Temperatura|体温(℃)|temp_c", "body temperature"),
        (
            "Herzfrequenz|Herzfrequenz (/min)|Puls|fréquence cardiaque|frecuencia cardíaca|心率|心率(次/分)",
            "heart rate",
        ),
        (
            "Blutdruck|systolischer Blutdruck (mmHg)|Blutdruck diastolisch|pression artérielle systolique",
            "blood pressure",
        ),
        ("presión arterial sistólica|收缩压(mmHg)|舒张压|SBP", "blood pressure"),
        ("SpO2|SpO2 (%)|SpO₂|O2-Sättigung|Sauerstoffsättigung (%)|血氧|血氧饱和度", "oxygen saturation"),
        ("BMI|BMI (kg/m²)|IMC|体质指数", "body mass index"),
    ],
)
def test_names_of_measures_are_known_in_the_languages_of_the_hospitals(names, what):
    known = {name: limits_of(name) for name in names.split("|")}
    assert [name for name, limits in known.items() if limits is None or not limits.what.startswith(what)] == []


@pytest.mark.parametrize(
    "name", ["Alter des Vaters", "Gewichtung", "Pulsdauer", "age (months)", "年", "size", "Puls Ox"]
)
def test_names_that_leave_doubt_are_not_judged(name):
    assert limits_of(name) is None


def test_a_size_is_a_height_only_where_its_values_are():
    limits = limits_of("Größe (cm)")
    assert impossible(np.array([170.0, 182, 165, 1.7]), limits).tolist() == [False, False, False, True]
    assert not impossible(np.array([3.0, 2, 5, 17]), limits).any()  # a tumour
    assert possible_range("taille", 140, 200) == (10, 280)
    assert possible_range("taille", 12, 80) is None


def test_a_weight_in_grams_is_possible():
    limits = limits_of("Gewicht")
    assert not impossible(np.array([3200.0, 2800, 4100]), limits).any()
    assert impossible(np.array([70.0, 82, 65, 7000]), limits).tolist() == [False, False, False, True]
