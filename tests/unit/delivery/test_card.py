import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from polyclinic.cohort.document import CohortDocument
from polyclinic.delivery.card import card
from polyclinic.delivery.checklist import CLAIM, SOURCES, TRIPOD, unanswered
from polyclinic.delivery.markdown import code, escaped, render_markdown, table
from polyclinic.delivery.material import Material, RunFacts
from polyclinic.evidence.records import Calibration, Evidence, Outcome
from polyclinic.study.options import InputOptions
from polyclinic.study.schema import InputSection, SplitSection
from polyclinic.translations.language import read_language

FORMS = ("binary", "multiclass", "multilabel", "value", "survival")
Make = Callable[..., Material]


def card_of(material: Material) -> str:
    """The card in the language of the study."""
    return render_markdown(card(material), read_language(material.study.study.language))


def rows_of(page: str, heading: str) -> dict[str, str]:
    part = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in part.splitlines() if line.startswith("|")]
    return {row[0].strip(): row[2].strip() for row in cells[2:]}


def test_no_item_is_ever_dropped(material: Make) -> None:
    bare = replace(material("binary"), evidence=Evidence(), cohort=CohortDocument(), predictions=None, facts=RunFacts())
    for made in (material("binary"), bare):
        found = rows_of(card_of(made), "TRIPOD+AI")
        assert list(found) == [item.number for item in TRIPOD]
        assert all(found.values())


def test_tripod_has_52_parts_and_claim_44_items() -> None:
    assert len(TRIPOD) == len({item.number for item in TRIPOD}) == 52
    assert [item.number for item in CLAIM] == [str(n) for n in range(1, 45)]


def test_every_source_has_a_place_and_answers_something(material: Make) -> None:
    placed = {name for name, source in SOURCES.items() if source.where}
    assert placed == set(SOURCES) - {"authors"}  # what only the authors know stands nowhere yet
    assert {item.source for item in (*TRIPOD, *CLAIM)} == set(SOURCES)
    assert unanswered(replace(material("binary"), facts=RunFacts())) <= set(SOURCES)


def test_claim_is_asked_only_where_images_are_in(material: Make) -> None:
    made = material("binary")
    assert "## CLAIM" not in card_of(made)
    film = InputSection(kind="image", options=InputOptions())
    with_image = replace(made, study=made.study.model_copy(update={"inputs": {"film": film}}))
    assert list(rows_of(card_of(with_image), "CLAIM")) == [item.number for item in CLAIM]


def test_what_is_not_known_says_so_and_what_is_needed(material: Make) -> None:
    found = rows_of(card_of(material("binary")), "TRIPOD+AI")
    assert found["17"] == "**NOT REPORTED** – for the authors to write"
    assert found["5b"] == "**NOT REPORTED** – set `[cohort] date`"
    assert found["3b"] == "Card, Intended use"
    assert found["10"].startswith("Card, Data; **NOT REPORTED** – ")


def test_a_key_of_the_study_answers_its_item(material: Make) -> None:
    made = material("binary")
    section = made.study.cohort.model_copy(update={"date": "index_date", "site": "hospital"})
    about = made.study.study.model_copy(update={"intended_use": "", "title": ""})
    changed = replace(made, study=made.study.model_copy(update={"cohort": section, "study": about}))
    found = rows_of(card_of(changed), "TRIPOD+AI")
    assert found["5b"] == "Card, Data"
    assert found["3b"] == "**NOT REPORTED** – set `[study] intended_use`"
    assert found["1"] == "**NOT REPORTED** – set `[study] title`"
    assert found["12d"] == "**NOT REPORTED** – set `[cohort] site`"  # named, but no results by site


def test_places_in_card_and_report_exist(material: Make) -> None:
    page = card_of(material("binary"))
    headings = set(re.findall(r"^## (.+)$", page, re.M))
    named = {place for where in rows_of(page, "TRIPOD+AI").values() for place in re.findall(r"Card, (\w[\w ]*)", where)}
    assert named - {"title"} <= headings


def test_the_sum_at_the_top_counts_the_rows(material: Make) -> None:
    page = card_of(material("binary"))
    whole, partly, left = map(int, re.findall(r"items, (\d+) are answered, (\d+) in part, (\d+) are not", page)[0])
    found = rows_of(page, "TRIPOD+AI").values()
    assert left == sum(1 for where in found if where.startswith("**NOT REPORTED**"))
    assert partly == sum(1 for where in found if "; **NOT REPORTED**" in where)
    assert whole + partly + left == 52


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_makes_a_card(material: Make, form: str, language: str) -> None:
    page = card_of(material(form, language=language))
    assert page == card_of(material(form, language=language))
    metric = next(iter(material(form).evidence.targets[form].metrics.values()))
    assert f"{metric.low:.1f}" in page
    if language == "zh":
        headings = re.findall(r"^##? (.+)$", page, re.M)[1:]
        names = {"TRIPOD+AI", "CLAIM"}
        assert all(heading in names or re.search(r"[\u4e00-\u9fff]", heading) for heading in headings)
        assert "NOT REPORTED" not in page


def test_few_events_and_warnings_are_limits(material: Make) -> None:
    page = card_of(material("binary"))
    assert "only 64 tested with the rarer outcome" in page
    assert "all its values are equal" in page
    assert "published split; 1 of 156" in page


def test_doubts_that_the_numbers_raise_are_limits(material: Make) -> None:
    made = material("binary")
    target = made.evidence.targets["binary"]
    assert target.comparison is not None
    extreme = replace(target.metrics["calibration_slope"], value=0.7, low=0.6, high=0.8)
    changed = replace(
        target,
        comparison=replace(target.comparison, outcome=Outcome.UNDECIDED),
        metrics=target.metrics | {"calibration_slope": extreme},
    )
    doubtful = replace(made, evidence=replace(made.evidence, targets={"binary": changed}))
    for words in ("not shown to be better than a plain model", "too extreme"):
        assert words in card_of(doubtful)
        assert words not in card_of(made)
    assert "too timid" in card_of(made)  # its slope of 1.04 has an interval above 1


def test_what_a_user_wrote_breaks_nothing(material: Make) -> None:
    made = material("binary")
    evil = "a | b\n## Performance\n<script>alert(1)</script> [x](javascript:y) `z`"
    about = made.study.study.model_copy(update={"title": evil, "intended_use": evil})
    study = made.study.model_copy(update={"study": about, "accept": {"duplicate_records": evil}})
    page = card_of(replace(made, study=study))
    assert "<script>" not in page
    assert page.count("\n## Performance\n") == 1
    assert "[x](javascript" not in page


def test_text_becomes_markdown_text() -> None:
    assert escaped("a*b_c|d<e>\nf") == r"a\*b\_c\|d&lt;e&gt; f"
    assert code("a`b\nc") == "`a'b c`"
    assert code("") == ""
    assert render_markdown(table(["x"], [["a|b"]])) == "| x |\n| --- |\n| a\\|b |\n"


def test_the_calibration_curve_is_named_only_where_there_is_one(material: Make) -> None:
    made = material("survival")
    (target,) = made.evidence.targets.values()
    (binary,) = material("binary").evidence.targets.values()
    bare = replace(target, calibration=Calibration())
    curve = replace(target, calibration=Calibration(curve=binary.calibration.curve))
    both = replace(made, evidence=replace(made.evidence, targets={"bare": bare, "drawn": curve, "other": binary}))
    part = card_of(both).split("## Calibration\n")[1].split("\n## ")[0]
    assert "bare: not judged for this kind of answer\n" in part
    assert "drawn: see the calibration curve in the report\n\n**other**\n" in part


def test_columns_that_are_not_used_stand_on_the_card_in_its_language(material: Make) -> None:
    made = material("binary")
    left = CohortDocument.model_validate(
        {"unused": [{"column": "born", "why": "dates: give a number of days instead"}]}
    )
    page = card_of(replace(made, cohort=left))
    assert "Columns not used" in page
    assert "`born` (dates: give a number of days instead)" in page
    chinese = made.study.model_copy(update={"study": made.study.study.model_copy(update={"language": "zh"})})
    assert "未使用的列" in card_of(replace(made, study=chinese, cohort=left))
    assert "Columns not used" not in card_of(replace(made, cohort=CohortDocument()))


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"column": "part"}, ["- Way of dividing: as the table says, column `part`"]),
        (
            {"folds": ("column:cv_1", "column:cv_2")},
            [
                "- Cross-validation in given folds (3 in all, repetitions: 2); every patient is tested",
                "- Way of dividing: as the table says, column `cv_1`, `cv_2`",
            ],
        ),
        ({"folds": 3}, ["- Cross-validation in 3 folds (repetitions: 1)", "- Way of dividing: `random`"]),
    ],
)
def test_the_way_of_dividing_names_the_columns_that_give_it(material: Make, split: dict, said: list[str]) -> None:
    made = material("binary")
    study = made.study.model_copy(update={"split": SplitSection(**split)})
    page = card_of(replace(made, study=study, facts=replace(made.facts, folds=3)))
    assert all(line in page for line in said)
    assert page.count("Way of dividing") == 1
    chinese = study.model_copy(update={"study": study.study.model_copy(update={"language": "zh"})})
    assert ("`random`" in page) == ("按表中的列 `" not in card_of(replace(made, study=chinese)))
