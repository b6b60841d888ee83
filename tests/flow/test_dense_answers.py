"""A question of where, from the study file to the report and to masks for new patients."""

from pathlib import Path

import nibabel
import numpy as np
import polars as pl
import pytest

import polyclinic
from polyclinic.errors import BundleError

QUICK = {
    "training": {"epochs": 3, "precision": "fp32"},
    "evidence": {"resamples": 20, "baselines": False},
    "model": {"size": "tiny"},
    "split": {"test": 0.3},
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    made = polyclinic.example_cohort(folder, {"scan": "volume"}, {"lesion": "segment"}, patients=14, settings=QUICK)
    text = made.study.read_text(encoding="utf-8")
    made.study.write_text(text.replace('kind = "volume"', 'kind = "volume"\nmissing = "allow"'), encoding="utf-8")
    polyclinic.run(made.study, folder / "run")
    return folder


@pytest.mark.slow
def test_the_report_shows_the_best_the_median_and_the_worst_case(scans):
    page = (scans / "run" / "report.html").read_text(encoding="utf-8")
    part = page.split('id="cases-lesion"')[1].split("</section>")[0]
    assert part.count("data:image/") == len({row for row in range(1, 15) if f"Row {row} " in part})
    assert "Regions wholly missed or made up" in page
    assert "P0000" not in page


@pytest.mark.slow
def test_masks_lie_where_their_scans_do_and_who_has_none_gets_a_reason(scans):
    table = pl.read_csv(scans / "cohort.csv").head(4).drop("lesion_mask")
    column = next(name for name in table.columns if name.startswith("scan"))
    table.with_columns(pl.when(pl.int_range(4) == 2).then(None).otherwise(pl.col(column)).alias(column)).write_csv(
        scans / "new.csv"
    )
    predicted = polyclinic.predict(scans / "run", scans / "new.csv", scans / "answers.csv")
    answers = pl.read_csv(predicted.out)
    assert answers["file"].is_null().to_list() == [False, False, True, False]
    assert "absent" in answers["abstain"][2] or "no input" in answers["abstain"][2]
    assert answers["points_object"].is_null().to_list() == [False, False, True, False]
    for row in (0, 1, 3):
        mask = nibabel.load(predicted.files / answers["file"][row])
        source = nibabel.load(scans / table[column][row])
        assert mask.shape == source.shape
        np.testing.assert_allclose(mask.affine, source.affine, atol=1e-4)
        assert np.count_nonzero(np.asarray(mask.dataobj)) == answers["points_object"][row]
    with pytest.raises(BundleError, match="overwrite nothing"):
        polyclinic.predict(scans / "run", scans / "new.csv", scans / "answers.parquet")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "ending"), [("detect", ".json"), ("cells", ".csv")])
def test_boxes_and_cells_come_as_files(tmp_path, kind, ending):
    settings = {**QUICK, "training": {"epochs": 1, "precision": "fp32"}}
    made = polyclinic.example_cohort(tmp_path, {"film": "image"}, {"found": kind}, patients=14, settings=settings)
    done = polyclinic.run(made.study, tmp_path / "run")
    assert 'id="cases-found"' in (done.folder / "report.html").read_text(encoding="utf-8")
    predicted = polyclinic.predict(done.folder, made.table, tmp_path / "answers.parquet")
    names = pl.read_parquet(predicted.out)["file"].to_list()
    assert all(name.endswith(ending) for name in names)
    assert {path.name for path in predicted.files.iterdir()} == {one for name in names for one in name.split(" | ")}
