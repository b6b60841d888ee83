"""The report in a browser, on a wide screen and on a phone: nothing cut, nothing that scrolls the page sideways."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from browser import CHROMIUM, Browser
from polyclinic.cohort.document import CohortDocument, DescribedRow, DescribedTable, LeftColumn
from polyclinic.delivery.markup import render
from polyclinic.delivery.material import Material
from polyclinic.delivery.report import report
from polyclinic.evidence.records import TargetEvidence
from polyclinic.translations.language import read_language

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

Make = Callable[..., Material]
WIDTHS = (1200, 390)
LONG = "Adenocarcinoma_of_the_lung_with_micropapillary_predominant_pattern"
LONG_ZH = "急性髓系白血病伴成熟型并多系发育异常及其他未分类的血液系统疾病"
FORMS = ("binary", "multiclass", "multilabel", "value", "survival", "mask", "boxes", "cells", "spans", "relations")

CUT = """[...document.querySelectorAll('body *')].filter(one => {
  if (one.closest('.scroll, .record, pre, .skip, svg')) return false;  // boxes that scroll by themselves, and drawings
  const box = one.getBoundingClientRect();
  const inline = getComputedStyle(one).display === 'inline';
  return box.width && (box.left < -.5 || box.right > innerWidth + .5
    || !inline && one.clientWidth && one.scrollWidth > one.clientWidth + 1);
}).map(one => one.tagName + '.' + one.className)"""
"""Elements that reach over the edge of the window, or whose content reaches over their own."""

HOLES = """[...document.querySelectorAll('.figures')].filter(grid => {
  const rows = {};
  for (const cell of grid.children) {
    const box = cell.getBoundingClientRect();
    rows[Math.round(box.top)] = Math.max(rows[Math.round(box.top)] || 0, box.right);
  }
  return Object.values(rows).some(right => right < grid.getBoundingClientRect().right - 1);
}).length"""
"""Grids with a row that does not reach the right edge."""

UNTOLD = """[...document.querySelectorAll('.scroll')].filter(box =>
  box.scrollWidth > box.clientWidth && (!box.querySelector('.hint').offsetHeight || box.tabIndex !== 0)).length"""
"""Boxes that scroll sideways without saying so, or out of reach of the keyboard."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


def crowded(material: Material) -> Material:
    """The same with names as long as they come, forty subgroups, and a table one of several groups."""
    targets = {name: _crowded(target) for name, target in material.evidence.targets.items()}
    names = (LONG, LONG_ZH, *(f"column_{n}_{LONG.lower()}" for n in range(12)))
    rows = [DescribedRow(name=name, cells=("54.123 [44.25, 66.75]",) * 5 + ("0.41",)) for name in names]
    rows += [DescribedRow(name="region", level=f"{LONG} {n}", cells=("12 (2.1%)",) * 5 + ("",)) for n in range(8)]
    groups = ("all (n = 1,569)", *(f"{LONG}: {n} (n = 357)" for n in range(4)), "standardised difference")
    cohort = CohortDocument(
        flow=material.cohort.flow,
        findings=material.cohort.findings,
        table_one=DescribedTable(groups=groups, rows=tuple(rows), columns_left_out=3080),
        unused=tuple(LeftColumn(column=f"{LONG}_{n}", why="no value in any row") for n in range(200)),
        unused_in_all=200,
        period=("2019-01", "2021-03"),
        sites=3,
    )
    return replace(material, cohort=cohort, evidence=replace(material.evidence, targets=targets))


def _crowded(target: TargetEvidence) -> TargetEvidence:
    group = target.subgroups[0]
    many = tuple(replace(group, column=LONG, value=f"{LONG_ZH} {n}") for n in range(40))
    worst = tuple(replace(one, truth=LONG, answer=LONG_ZH) for one in target.worst)
    listed = worst if isinstance(target.worst[0].answer, str) else target.worst
    return replace(target, subgroups=many, worst=listed, **_long_names(target))


def _long_names(target: TargetEvidence) -> dict[str, Any]:
    longer = {name: f"{name} {LONG_ZH if n % 2 else LONG}" for n, name in enumerate(target.per_class)}
    return {
        "per_class": {longer[name]: values for name, values in target.per_class.items()},
        "classes": tuple(longer.get(name, name) for name in target.classes),
    }


def look(browser: Browser, material: Material, folder: Path, width: int) -> None:
    page = folder / "report.html"
    page.write_text(render(report(material), read_language(material.study.study.language)), encoding="utf-8")
    browser.open(page, width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_cut_and_the_page_does_not_scroll_sideways(
    browser: Browser, material: Make, tmp_path: Path, width: int, language: str
) -> None:
    look(browser, crowded(material(*FORMS, language=language)), tmp_path, width)
    assert browser.ask("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    assert browser.ask(CUT) == []
    assert browser.ask(UNTOLD) == 0
    assert browser.ask("document.querySelectorAll('.scroll').length") > 10


@pytest.mark.parametrize("form", FORMS)
def test_the_grid_of_figures_has_no_holes(browser: Browser, material: Make, tmp_path: Path, form: str) -> None:
    look(browser, material(form), tmp_path, 1200)
    assert browser.ask(HOLES) == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_the_contents_are_reached_by_keyboard_and_do_not_lie_over_the_text(
    browser: Browser, material: Make, tmp_path: Path, width: int
) -> None:
    look(browser, material("binary"), tmp_path, width)
    browser.press("Tab")
    assert browser.ask("document.activeElement.className") == "skip"
    assert browser.ask("document.activeElement.getBoundingClientRect().top") >= 0
    browser.press("Tab")
    assert browser.ask("document.activeElement.closest('nav') !== null")
    browser.ask("location.hash = '#findings'; document.documentElement.style.scrollBehavior = 'auto'")
    browser.ask("document.querySelector('#findings').scrollIntoView()")
    heading = browser.ask("document.querySelector('#findings h2').getBoundingClientRect().top")
    assert heading >= browser.ask("document.querySelector('nav').getBoundingClientRect().bottom")
    assert 0 <= heading < 900
