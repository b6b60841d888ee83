from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from polyclinic.cohort.table import Cohort, load
from polyclinic.study.schema import CohortSection

CohortOf = Callable[..., Cohort]


@pytest.fixture
def cohort_of(tmp_path: Path) -> CohortOf:
    """A cohort from columns, written to disk and loaded as a user's table would be."""

    def make(columns: dict[str, list[object]] | pl.DataFrame, **keys: object) -> Cohort:
        frame = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame(columns)
        frame.write_parquet(tmp_path / "cohort.parquet")
        return load(CohortSection.model_validate({"table": "cohort.parquet", "patient": "row", **keys}), tmp_path)

    return make
