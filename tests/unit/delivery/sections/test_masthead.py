"""What stands above everything else: research only, the program, the time of the data, the sites, the day."""

import pytest

from polyclinic.cohort.document import CohortDocument
from polyclinic.delivery.markup import render
from polyclinic.delivery.material import RunFacts
from polyclinic.delivery.sections.masthead import data_period, masthead, origins
from polyclinic.translations.language import read_language

COHORT = CohortDocument(period=("2019-01", "2021-03"), sites=3)


def facts(day: str = "") -> RunFacts:
    return RunFacts(versions={"polyclinic": "1.2.3"}, day=day)


def test_it_says_that_this_is_research_in_every_language() -> None:
    top = masthead(COHORT, facts())
    assert "Research only: not a medical device." in render(top)
    assert "仅供研究使用，不是医疗器械。" in render(top, read_language("zh"))


def test_program_time_sites_and_where_the_day_stands() -> None:
    known = ["Polyclinic 1.2.3", "data of January 2019 to March 2021", "3 sites", "day of the run: see log.jsonl"]
    assert origins(COHORT, facts()) == known
    assert "2019 年 1 月 至 2021 年 3 月" in render(masthead(COHORT, facts()), read_language("zh"))


def test_a_day_that_is_given_is_told() -> None:
    assert origins(COHORT, facts("2026-11-30"))[-1] == "made on 2026-11-30"


@pytest.mark.parametrize(("sites", "words"), [(None, None), (0, None), (1, "1 site"), (1234, "1,234 sites")])
def test_sites_are_counted_where_they_are_known(sites: int | None, words: str | None) -> None:
    told = origins(CohortDocument(sites=sites), facts())
    assert told[1:-1] == ([] if words is None else [words])


def test_one_month_is_told_once() -> None:
    assert data_period(CohortDocument(period=("2020-12", "2020-12"))) == "December 2020"
    assert data_period(CohortDocument()) == ""
