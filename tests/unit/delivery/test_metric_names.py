"""Every figure that evidence gives has a name and a line of explanation, in both languages."""

import importlib
import pkgutil
import re

import pytest

from polyclinic import evidence
from polyclinic.delivery.metric_names import METRICS
from polyclinic.evidence.forms.boxes import IN_SCANS
from polyclinic.evidence.metric import Better, Metric

FORMS = [name for _, name, _ in pkgutil.iter_modules(evidence.__path__) if name.startswith("form_")]


def metrics_of(module: str) -> list[Metric]:
    held = vars(importlib.import_module(f"polyclinic.evidence.{module}")).values()
    every = [entry for value in held for entry in (value if isinstance(value, tuple) else (value,))]
    return [entry for entry in every if isinstance(entry, Metric)]


@pytest.mark.parametrize("module", FORMS)
def test_every_metric_of_a_form_can_be_told(module):
    found = metrics_of(module)
    assert found or module == "form_labels"
    assert [metric.name for metric in found if metric.name not in METRICS] == []


@pytest.mark.parametrize("module", FORMS)
def test_names_and_figures_agree_on_which_way_is_better(module):
    signs = {Better.HIGHER: 1, Better.LOWER: -1, Better.ONE: 0, Better.ZERO: 0}
    odd = [m.name for m in metrics_of(module) if METRICS[m.name].better != signs[m.better]]
    assert odd == []


def test_every_name_is_told_in_chinese_too():
    assert IN_SCANS.name in METRICS
    for name, told in METRICS.items():
        assert re.search(r"[\u4e00-\u9fff]", told.chinese_meaning), name
        assert told.english
        assert told.meaning
