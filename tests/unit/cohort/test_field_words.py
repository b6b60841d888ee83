import pytest

from polyclinic.cohort.field_words import consists_of, is_called, mentions, orders, tokens


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("OverallSurvival (Months)", ("overall", "survival", "months")),
        ("Nº paciente", ("no", "paciente")),
        ("N° patient", ("n", "patient")),
        ("subject#", ("subject", "no")),
        ("Überlebenszeit_Tage", ("uberlebenszeit", "tage")),
        ("随访时间（天）", ("随访时间", "天")),
        ("", ()),
    ],
)
def test_names_are_cut_into_plain_words(name: str, words: tuple[str, ...]) -> None:
    assert tokens(name) == words


def test_a_name_is_called_so_as_a_whole_only() -> None:
    assert is_called("Follow-up", "follow_up")
    assert not is_called("follow-up visit", "follow_up")


def test_a_name_mentions_whole_words_and_chinese_anywhere() -> None:
    assert mentions("patient_death_flag", "event")
    assert not mentions("deathly", "event")
    assert mentions("患者死亡与否", "event")


def test_every_word_must_be_listed_to_consist_of_a_list() -> None:
    assert consists_of("time in months", "time", "filler", "months")
    assert not consists_of("time in hospital", "time", "filler", "months")
    assert not consists_of("", "time")
    assert consists_of("时间天", "time", "days")


def test_signs_are_words_of_their_own() -> None:
    assert not is_called("", "agree")


def test_grades_are_listed_from_the_least_to_the_most() -> None:
    assert (("mild",), ("moderate",), ("severe",)) in {words[-3:] for words in orders()}
