"""Every figure that evidence gives has a name and a line of explanation, in both languages."""

import importlib
import pkgutil

import pytest

from polyclinic.delivery.metric_names import METRICS
from polyclinic.delivery.names import PLAIN_MODELS, metric_meaning, metric_name, model_name
from polyclinic.evidence import forms
from polyclinic.evidence.forms.boxes import IN_SCANS
from polyclinic.evidence.metric import Metric
from polyclinic.translations.language import languages, read_language

FORMS = [name for _, name, _ in pkgutil.walk_packages(forms.__path__, "polyclinic.evidence.forms.")]


def metrics_of(module: str) -> list[Metric]:
    held = vars(importlib.import_module(module)).values()
    every = [entry for value in held for entry in (value if isinstance(value, tuple) else (value,))]
    return [entry for entry in every if isinstance(entry, Metric)]


def test_every_form_has_metrics():
    assert len([module for module in FORMS if metrics_of(module)]) >= 9


@pytest.mark.parametrize("module", FORMS)
def test_every_metric_of_a_form_has_a_name(module):
    assert [metric.name for metric in metrics_of(module) if metric.name not in METRICS] == []


@pytest.mark.parametrize("module", FORMS)
def test_names_and_figures_agree_on_which_way_is_better(module):
    assert [m.name for m in metrics_of(module) if METRICS[m.name].better is not m.better] == []


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_every_metric_has_a_name_and_a_meaning_in_every_language(language):
    assert IN_SCANS.name in METRICS
    known = read_language(language)
    for name in METRICS:
        assert known.knows(metric_name(name)), name
        assert known.knows(metric_meaning(name)), name


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
def test_every_plain_model_has_a_name_in_every_language(language):
    assert [name for name in PLAIN_MODELS if not read_language(language).knows(model_name(name))] == []
