"""Sentences that keep their template and values apart."""

import pytest

from polyclinic.translations.phrase import Phrase


def test_a_phrase_is_the_sentence_and_remembers_how_it_was_made():
    made = Phrase("{n} of {all:g} genes", n=3, all=600.0)
    assert made == "3 of 600 genes"
    assert (made.template, dict(made.values)) == ("{n} of {all:g} genes", {"n": 3, "all": 600.0})


def test_without_values_nothing_is_filled_in():
    assert Phrase("a brace { stays") == "a brace { stays"


def test_a_value_that_is_lacking_is_a_fault():
    with pytest.raises(KeyError):
        Phrase("{n} of {all}", n=3)
