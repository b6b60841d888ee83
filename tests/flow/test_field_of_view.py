"""Photographs with a field of view: what is answered about new ones, with and without its mask."""

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

import polyclinic

STUDY = """
[study]
name = "retina"
[cohort]
table = "cohort.csv"
patient = "eye"
[inputs.photo]
kind = "image"
column = "photo"
[targets.vessels]
kind = "segment"
on = "photo"
column = "vessels"
regions = ["vessel"]
within = "field"
[split]
test = 0.3
[model]
size = "tiny"
[training]
epochs = 1
precision = "fp32"
[evidence]
resamples = 0
baselines = false
"""
DOWN, ACROSS = np.indices((48, 56))
FIELD = (DOWN - 24) ** 2 + (ACROSS - 28) ** 2 < 21**2


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A disc on dark ground; "vessels" are its bright places, others in every picture."""
    folder, rng = tmp_path_factory.mktemp("retina"), np.random.default_rng(0)
    Image.fromarray(FIELD.astype(np.uint8) * 255).save(folder / "field.png")
    for row in range(12):
        vessels = FIELD & (gaussian_filter(rng.standard_normal(FIELD.shape), 4) > 0)
        seen = np.where(FIELD, 110 + 60 * vessels, 4) + 4 * rng.standard_normal(FIELD.shape)
        Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(folder / f"{row}.png")
        Image.fromarray(vessels.astype(np.uint8)).save(folder / f"{row}-vessels.png")
    rows = [(f"E{row}", f"{row}.png", f"{row}-vessels.png", "field.png") for row in range(12)]
    pl.DataFrame(rows, schema=["eye", "photo", "vessels", "field"], orient="row").write_csv(folder / "cohort.csv")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    polyclinic.run(folder / "study.toml", folder / "run")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "told"), [(["photo", "field"], set()), (["photo"], {"field_by_rule"})])
def test_nothing_is_found_outside_the_field(run, tmp_path, columns, told):
    table = run / f"new-{len(columns)}.csv"
    pl.read_csv(run / "cohort.csv").select(columns).head(3).write_csv(table)
    predicted = polyclinic.predict(run / "run", table, tmp_path / "answers.csv")
    assert {finding.name for finding in predicted.findings} == told
    answers = pl.read_csv(predicted.out)
    for name, points in zip(answers["file"], answers["points_vessel"], strict=True):
        mask = np.asarray(Image.open(predicted.files / name)) > 0
        assert mask.sum() == points
        assert not (mask & ~FIELD).any()
