import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from polyclinic.answers.value import ValueAnswer
from polyclinic.cohort.document import CohortDocument, LeftColumn
from polyclinic.delivery.blocks import table
from polyclinic.delivery.markup import render
from polyclinic.delivery.material import Material, PartCount, RunFacts
from polyclinic.delivery.report import report
from polyclinic.evidence.records import Cases, Estimate, Evidence, Mistake, Outcome
from polyclinic.predictions.record import Predictions
from polyclinic.records.base import Picture
from polyclinic.study.schema import SplitSection
from polyclinic.translations.language import read_language
from polyclinic.translations.phrase import Phrase

DENSE = ("mask", "boxes", "cells", "spans", "relations")
FORMS = ("binary", "multiclass", "multilabel", "value", "survival", *DENSE)
LANGUAGES = ("en", "zh")
Make = Callable[..., Material]
VOID = {"meta", "img", "br", "link"}


class Reader(HTMLParser):
    """Reads a page strictly: every element must be closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)
        if self.open and self.open[-1] in ("h1", "h2", "h3", "h4"):
            self.headings.append(data)


def page_of(material: Material) -> str:
    """The page in the language of the study."""
    return render(report(material), read_language(material.study.study.language))


def text(page: str) -> str:
    return " ".join(Reader(page).words)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_makes_a_sound_page_in_every_language(material: Make, form: str, language: str) -> None:
    page = page_of(material(form, language=language))
    read = Reader(page)
    assert read.tags.count("h1") == 1
    assert "svg" in read.tags
    assert len(page.encode()) < 300_000


def test_several_targets_stand_in_one_report(material: Make) -> None:
    page = page_of(material(*FORMS))
    for form in FORMS:
        assert f'id="target-{form}"' in page
        assert f"Performance: {form}" in page


@pytest.mark.parametrize("form", FORMS)
def test_the_page_needs_nothing_but_itself(material: Make, form: str) -> None:
    page = page_of(material(form))
    read = Reader(page)
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "script" not in read.tags
    assert not {"link", "object", "embed", "base", "form"} & set(read.tags)
    for name, value in read.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "srcset", "data"):
            assert value is not None
            assert value.startswith(("#", "data:image/"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_lead_somewhere(material: Make, language: str) -> None:
    read = Reader(page_of(material(*FORMS, language=language)))
    anchors = {value for name, value in read.attributes if name == "id"}
    links = {value[1:] for name, value in read.attributes if name == "href" and value}
    assert links
    assert links <= anchors


@pytest.mark.parametrize("form", FORMS)
def test_the_same_material_gives_the_same_bytes(material: Make, form: str) -> None:
    assert page_of(material(form)) == page_of(material(form))


def test_what_a_user_wrote_stays_text(material: Make) -> None:
    evil = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>&amp;"
    made = material("binary")
    study = made.study.model_copy(
        update={
            "study": made.study.study.model_copy(update={"title": evil, "intended_use": evil}),
            "accept": {"duplicate_records": evil},
        }
    )
    target = made.evidence.targets["binary"]
    worst = tuple(replace(one, truth=evil, answer=evil) for one in target.worst)
    subgroups = tuple(replace(group, column=evil, value=evil) for group in target.subgroups)
    changed = replace(target, worst=worst, subgroups=subgroups, unit=evil, subgroup_note=evil)
    cohort = made.cohort.model_copy(
        update={
            "flow": tuple(step.model_copy(update={"step": evil}) for step in made.cohort.flow),
            "findings": tuple(one.model_copy(update={"place": evil, "found": evil}) for one in made.cohort.findings),
            "fingerprints": {evil: evil},
        }
    )
    facts = replace(made.facts, study_text=evil, processor=evil, notes={evil: (evil,)}, versions={evil: evil})
    page = page_of(
        replace(
            made,
            study=study,
            cohort=cohort,
            evidence=replace(made.evidence, targets={evil: changed}),
            pictures={7: (Picture("image/svg+xml", evil.encode(), evil),)},
            facts=facts,
        )
    )
    read = Reader(page)
    assert "script" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert evil in text(page)


def test_values_stand_with_their_intervals_beside_the_plain_model(material: Make) -> None:
    words = text(page_of(material("binary")))
    assert "This model is better than logistic regression: AUROC 0.962 against 0.949" in words
    assert "0.942 to 0.982" in words
    assert "0.949 (0.925 to 0.973)" in words


@pytest.mark.parametrize(
    ("outcome", "margin", "said"),
    [
        (Outcome.BETTER, None, "This model is better than"),
        (Outcome.WORSE, None, "This model is worse than"),
        (Outcome.UNDECIDED, None, "told apart"),
        (Outcome.UNDECIDED, None, "Whether it is as good was not asked: the study states no margin."),
        (Outcome.NOT_WORSE, 0.01, "This model is not worse than logistic regression by more than the margin of 0.010"),
    ],
)
def test_the_verdict_is_that_of_the_evidence(material: Make, outcome: Outcome, margin: float | None, said: str) -> None:
    made = material("binary")
    held = made.evidence.targets["binary"].comparison
    assert held is not None
    page = page_of(with_target(made, comparison=replace(held, outcome=outcome, margin=margin)))
    assert said in text(page)
    assert f'class="verdict {outcome}"' in page


def test_without_a_plain_model_nothing_is_better(material: Make) -> None:
    page = page_of(with_target(material("binary"), comparison=None, baseline=None, baselines={}, verdict=""))
    assert "No plain model was trained to compare with: AUROC 0.962." in text(page)
    assert 'class="verdict not_compared"' in page


def with_target(made: Material, **changes: Any) -> Material:
    targets = {name: replace(target, **changes) for name, target in made.evidence.targets.items()}
    return replace(made, evidence=replace(made.evidence, targets=targets))


def without_intervals(document: Any) -> Any:
    if isinstance(document, dict):
        gone = {key for key in ("low", "high") if isinstance(document.get(key), float)}
        return {key: None if key in gone else without_intervals(value) for key, value in document.items()}
    return [without_intervals(value) for value in document] if isinstance(document, list | tuple) else document


def without_values(document: Any) -> Any:
    if isinstance(document, dict):
        hidden = ("low", "high", "value", "n", "loss", "predicted", "observed")
        plain = {key for key in hidden if isinstance(document.get(key), float | int)}
        return {key: None if key in plain else without_values(value) for key, value in document.items()}
    return [without_values(value) for value in document] if isinstance(document, list | tuple) else document


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", [without_intervals, without_values])
def test_a_page_is_made_without_intervals_and_without_values(
    material: Make, form: str, change: Callable[[Any], Any]
) -> None:
    made = material(form)
    document = made.evidence.document()
    targets = {}
    for name, target in document["targets"].items():
        curves = target.pop("curves")
        targets[name] = change(target) | {"curves": curves}
        for curve in (curves.get("roc"), *curves.get("kaplan_meier", ())):
            if curve is not None:
                curve |= {"low": [None] * len(curve["low"]), "high": []}
    bare = replace(made, evidence=Evidence.read(document | {"targets": targets}))
    words = text(page_of(bare))
    assert "None" not in words.replace("None.", "")
    assert "nan" not in words.split()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_parts_leave_no_empty_sections(material: Make, form: str, language: str) -> None:
    made = material(form, language=language)
    metrics = {name: {"value": 0.5} for name in made.evidence.targets[form].metrics}
    document = {"targets": {form: {"form": form, "headline": list(metrics), "metrics": metrics}}}
    page = page_of(
        replace(
            made,
            evidence=Evidence.read(document),
            cohort=CohortDocument(),
            predictions=None,
            facts=RunFacts(),
            pictures={},
            marked={},
        )
    )
    read = Reader(page)
    assert not re.search(r"<(div|section|ul|ol|dl|tbody|figure|p|h[1-4])( [^>]*)?></\1>", page)
    assert read.tags.count("h1") == 1


def test_nothing_at_all_still_makes_a_page(material: Make) -> None:
    bare = replace(material("binary"), evidence=Evidence(), cohort=CohortDocument(), predictions=None, facts=RunFacts())
    assert "fine-needle" in page_of(bare)


def test_chinese_leaves_no_heading_untranslated(material: Make) -> None:
    made = material(*FORMS, language="zh")
    title = made.study.study.title
    read = Reader(page_of(made))
    for heading in read.headings:
        assert heading == title or re.search(r"[\u4e00-\u9fff]", heading), heading
    assert ("lang", "zh-CN") in read.attributes


def test_chinese_keeps_no_english_sentence_of_ours(material: Make) -> None:
    made = replace(material(*FORMS, language="zh"), cohort=CohortDocument())
    words = text(page_of(made))
    translations = read_language("zh").translations
    ours = {phrase for phrase, chinese in translations.items() if phrase != chinese and len(phrase.split()) > 2}
    plain = {phrase for phrase in ours if "{" not in phrase}
    assert not [phrase for phrase in plain if phrase in words]


def test_metrics_we_do_not_know_keep_their_name(material: Make) -> None:
    made = with_target(material("binary", language="zh"), headline=("net_benefit",))
    target = made.evidence.targets["binary"]
    made = with_target(made, metrics={"net_benefit": target.metrics["auroc"]}, subgroups=())
    assert "Net benefit" in text(page_of(made))


def test_large_clouds_are_drawn_as_a_density(material: Make) -> None:
    made = material("value")
    rng = np.random.default_rng(0)
    assert made.predictions is not None
    many = 60_000
    measured = rng.standard_normal(many)
    answer = ValueAnswer("mmHg", measured + rng.standard_normal(many), measured)
    index = np.zeros(many, dtype=int)
    samples = made.predictions.samples.take(index)
    page = page_of(replace(made, predictions=Predictions("polyclinic", samples, {"value": answer}, measured)))
    assert 'class="density"' in page
    assert len(page.encode()) < 500_000


def test_average_sizes_are_whole_patients(material: Make) -> None:
    parts = (PartCount("train", 1294.4, 1290.6), PartCount("test", 380.6, 379.2))
    words = text(page_of(replace(material("binary"), facts=RunFacts(parts=parts))))
    assert "1,291 patients, 1,294 rows" in words
    assert "379 patients, 381 rows" in words


def test_mistakes_are_told_in_the_words_of_the_question(material: Make) -> None:
    survival = text(page_of(material("survival")))
    assert "Predicted chance to be event-free" in survival
    assert "no event until then" in survival
    value = text(page_of(material("value")))
    assert all(words in value for words in ("Measured (mmHg)", "Predicted (mmHg)", "Off by (mmHg)"))


@pytest.mark.parametrize("form", FORMS)
def test_no_loss_stands_before_a_clinician(material: Make, form: str) -> None:
    page = page_of(material(form))
    for part in ("mistakes", "cases"):
        if f'id="{part}-{form}"' in page:
            assert "loss" not in text(page.split(f'id="{part}-{form}"')[1].split("</section>")[0]).lower()


def test_the_columns_that_are_not_used_are_folded_by_their_reason(material: Make) -> None:
    names = [f"gene_{n}" for n in range(130)]
    columns = [LeftColumn(column=name, why="no value in any row") for name in names]
    cohort = CohortDocument(unused=(*columns, LeftColumn(column="ward", why="lists or bytes")), unused_in_all=131)
    page = page_of(replace(material("binary"), cohort=cohort))
    folded = page.split('id="patients"')[1].split("<details>")[1].split("</details>")[0]
    assert "Columns of the table that are not used: 131" in folded
    assert "gene_99" in folded
    assert "gene_100" not in folded
    assert "and 30 more" in folded
    assert folded.index("no value in any row") < folded.index("lists or bytes") < folded.index("ward")


def test_how_long_patients_were_watched_and_the_events_of_each_part(material: Make) -> None:
    parts = (PartCount("train", 336, 332, {"survival": 101.4}),)
    medians = {"survival": Estimate(112.3, 108.0, None)}
    words = text(page_of(replace(material("survival"), facts=RunFacts(parts=parts, follow_up=medians))))
    assert "Median follow-up (survival)" in words
    assert "112 months (108 to –)" in words
    assert "101 events" in words
    never = replace(material("survival"), facts=RunFacts(follow_up={"survival": Estimate()}))
    assert "not reached" in text(page_of(never))


def test_the_name_of_a_group_has_the_room_of_the_empty_cells_behind_it(material: Make) -> None:
    wide = render(table(["Variable", "all", "ill"], [["sex", "", ""], ["age", "54", ""], ["", "", "1"]]))
    assert wide.count("<td") == 1 + 3 + 3
    assert '<td colspan="3">sex</td>' in wide


def test_tables_of_a_patients_values_are_not_shown(material: Make) -> None:
    values = Picture("text/html", b"<table><tr><td>a patient's value</td></tr></table>", "row 7")
    page = page_of(replace(material("binary"), pictures={7: (values,)}))
    assert "s value</td>" not in page
    assert "gallery" not in page.split("</style>")[1]


def test_heavy_pictures_are_made_light(material: Make) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (900, 900), dtype=np.uint8)
    png = io.BytesIO()
    Image.fromarray(noise).save(png, "PNG")
    pictures = {7: tuple(Picture("image/png", png.getvalue(), f"{n}") for n in range(10))}
    page = page_of(replace(material("binary"), pictures=pictures))
    assert page.count("data:image/jpeg") == 10
    assert len(page.encode()) < 2_000_000


def test_each_row_is_drawn_once_though_repeated(material: Make) -> None:
    made = material("value")
    assert made.predictions is not None
    twice = np.concatenate([np.arange(200), np.arange(200)])
    doubled = made.predictions.take(twice)
    repeat = np.repeat([0, 1], 200)
    both = replace(doubled, samples=replace(doubled.samples, repeat=repeat))
    assert page_of(replace(made, predictions=both)) == page_of(made)


def test_training_that_was_cut_short_is_drawn(material: Make) -> None:
    made = material("binary")
    one = made.facts.fits[0]
    fits = (one.model_copy(update={"history": one.history[:1], "best": 1}), one.model_copy(update={"history": ()}))
    page = page_of(replace(made, facts=RunFacts(fits=fits)))
    assert "Training curve" in page


@pytest.mark.parametrize("form", DENSE)
def test_best_median_and_worst_case_stand_side_by_side(material: Make, form: str) -> None:
    page = page_of(material(form))
    part = page.split(f'id="cases-{form}"')[1].split("</section>")[0]
    assert part.count("<figure>") == 3
    assert [part.index(f"Row {row}") for row in (62, 29, 7)] == sorted(part.index(f"Row {row}") for row in (62, 29, 7))
    assert re.search(r"<strong>Best</strong>.*<strong>Median</strong>.*<strong>Worst</strong>", part)
    assert "2 lesion" not in part


def test_a_case_tells_its_figure(material: Make) -> None:
    words = text(page_of(material("mask")))
    assert "Dice 0.600" in words
    assert "4.0 missed or wrong" not in words
    spans = with_target(material("spans"), cases=_cases(0.0, 1.0, 4.0))
    assert "4.00 missed or wrong" in text(page_of(spans))


def _cases(*losses: float) -> Cases:
    best, median, worst = (Mistake(row=7 + 11 * n, loss=loss) for n, loss in enumerate(losses))
    return Cases(best=best, median=median, worst=worst)


def test_texts_come_without_anything_that_could_run(material: Make) -> None:
    evil = b'<p onclick="x()">a<script>alert(1)</script><img src=x onerror=y><mark style="background:url(z)">b</mark>'
    made = replace(material("spans"), marked={"spans": {7: Picture("text/html", evil, "note")}})
    page = page_of(made)
    read = Reader(page)
    assert "script" not in read.tags
    assert "img" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on") or (name == "style" and "url" in _)]
    assert "<mark>b</mark>" in page


def test_the_legend_of_a_text_tells_the_marks_that_occur_in_the_language_of_the_study(material: Make) -> None:
    text_of_record = b'<p>a <mark class="right">b</mark> <mark class="wrong">c</mark></p>'
    for language, words in (("en", ("found", "found, but not there")), ("zh", ("检出", "误检"))):
        made = material("spans", language=language)
        made = replace(made, marked={"spans": {7: Picture("text/html", text_of_record, "note")}})
        part = page_of(made).split('id="cases-spans"')[1].split("</section>")[0]
        assert f'<mark class="right">✓ {words[0]}</mark>' in part
        assert f'<mark class="wrong">✗ {words[1]}</mark>' in part
        assert 'class="missed"' not in part


def test_a_record_that_is_absent_says_so(material: Make) -> None:
    absent = Picture("text/html", b"", Phrase("no text"))
    made = replace(material("spans", language="zh"), marked={"spans": {7: absent}})
    assert "<p>无文本</p>" in page_of(made)


def test_findings_are_told_in_chinese_before_the_words_of_the_program(material: Make) -> None:
    page = page_of(material("binary", language="zh"))
    part = page.split('id="findings"')[1].split("</section>")[0]
    assert part.index("有列始终不变") < part.index("a column should vary")
    assert re.search(r'<p class="how" lang="en">a column should vary', part)
    assert 'lang="en"' not in page_of(material("binary")).split('id="findings"')[1].split("</section>")[0]


def test_none_is_our_word_where_things_are_listed(material: Make) -> None:
    page = page_of(material("boxes", language="zh"))
    part = page.split('id="mistakes-boxes"')[1].split("</section>")[0]
    assert "无" in text(part)
    assert "none" not in text(part)


def test_relations_are_told_by_how_many_were_found(material: Make) -> None:
    worst = Mistake(row=7, truth=5, answer=2, loss=1.5)
    made = with_target(material("relations"), cases=Cases(best=worst, median=worst, worst=worst))
    words = text(page_of(made))
    assert "2.00 of 5.00 found" in words
    assert "1.50" not in words


def test_regions_have_the_columns_that_there_is_room_for(material: Make) -> None:
    page = page_of(material("mask"))
    part = page.split('id="classes-mask"')[1].split("</section>")[0]
    assert "By region" in part
    assert "AUROC of points" in part
    assert "AUPRC of points" not in part


def test_sizes_of_regions_are_not_given_the_unit_of_outlines(material: Make) -> None:
    words = text(page_of(material("mask")))
    assert "What was true (mm)" not in words
    assert "What was true" in words
    assert "3.20" in words


@pytest.mark.parametrize(("language", "said"), [("en", "column cv_1, cv_2."), ("zh", "按表中的列 cv_1, cv_2 划分")])
def test_the_flow_chart_names_the_columns_that_divide(material: Make, language: str, said: str) -> None:
    made = material("binary", language=language)
    given = made.study.model_copy(update={"split": SplitSection(folds=("column:cv_1", "column:cv_2"))})
    assert said in page_of(replace(made, study=given))
    assert said not in page_of(made)
