"""A report in Chinese holds no English of ours, whatever is asked and of whatever records."""

import base64
import re
from html import unescape

import pytest

import polyclinic

QUICK = {
    "study": {"language": "zh", "title": "合成"},
    "training": {"epochs": 1, "precision": "fp32"},
    "evidence": {"resamples": 10},
    "model": {"size": "tiny"},
    "split": {"test": 0.3},
}
ASKED = {
    "regions of pictures": ({"film": "image"}, {"there": "segment"}),
    "regions of scans": ({"scan": "volume"}, {"there": "segment"}),
    "boxes": ({"film": "image"}, {"there": "detect"}),
    "cells": ({"film": "image"}, {"there": "cells"}),
    "spans": ({"memo": "text"}, {"there": "tag"}),
    "relations": ({"memo": "text"}, {"there": "relate"}),
    "classes": ({"labs": "tabular", "scan": "volume"}, {"there": "classify"}),
    "labels": ({"genes": "expression", "memo": "text"}, {"there": "multilabel"}),
}
USER = """there film scan memo labs genes spot object disease drug before after yes no north south east sex female male
hospital"""
FIELD = """AUROC AUPRC AUC ROC FROC CPM COCO mAP AJI Dice Brier Hausdorff Jaccard Otsu CRF TF IDF Polyclinic synthetic
adamw sha cohort csv log jsonl polyclinic torch numpy polars scikit learn scipy cores cpu RAS III"""
KNOWN = {*USER.split(), *FIELD.split()}


def spoken(page: str) -> list[str]:
    """Every sentence, label and caption that is ours; texts of patients, code and hashes are taken out."""
    drawn = [base64.b64decode(one).decode() for one in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)]
    whole = "\n".join([page, *drawn])
    for foreign in (r"<style.*?</style>", r"<pre.*?</pre>", r"<code.*?</code>", r'<p class="text".*?</p>'):
        whole = re.sub(foreign, "", whole, flags=re.DOTALL)
    whole = re.sub(r'<p class="how" lang="en">.*?</p>', "", whole, flags=re.DOTALL)
    attributes = re.findall(r'(?:alt|title|aria-label)="([^"]*)"', whole)
    return [unescape(one) for one in (*re.sub(r"<[^>]+>", "\n", whole).split("\n"), *attributes)]


def english(page: str) -> set[str]:
    plain = [re.sub(r"\b\w*[_\d]\w*\b", "", one) for one in spoken(page)]
    return {word for one in plain for word in re.findall(r"[A-Za-z]{3,}", one)} - KNOWN


def test_english_would_be_seen() -> None:
    picture = base64.b64encode(b"<svg><text>truth</text></svg>").decode()
    page = f'<img alt="slice 3 of 5" src="data:image/svg+xml;base64,{picture}"><p>patients</p><pre>seed = 1</pre>'
    assert english(page) == {"slice", "truth", "patients"}


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED)
def test_a_chinese_report_is_chinese(tmp_path, asked):
    inputs, targets = ASKED[asked]
    made = polyclinic.example_cohort(tmp_path, inputs, targets, patients=24, settings=QUICK)
    done = polyclinic.run(made.study, tmp_path / "run")
    assert english((done.folder / "report.html").read_text(encoding="utf-8")) == set()
