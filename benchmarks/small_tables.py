"""Breast cytology, Pima diabetes, UCI heart: 5 folds x 3, AUROC against logistic regression and boosting, same rows.

    POLYCLINIC_DATA=... python benchmarks/small_tables.py [cytology] [pima] [heart]

Goals: .995, .840 and .910. On 10 folds x 5, scikit-learn: logistic .995 / .839 / .905, forest - / .836 / .912.
Data: breast cytology comes with scikit-learn; Pima (diabetes.arff) and heart (heart.c.arff) are UCI sets in
github.com/renatopp/arff-datasets, laid as tabular/diabetes.arff and tabular/heart.c.arff.
"""

from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
import polars as pl
from measure import Asked, Figure, compare, main

SETS = {
    "cytology": ("breast cytology", None, "malignant"),
    "pima": ("Pima diabetes", "tabular/diabetes.arff", "diabetes"),
    "heart": ("UCI heart", "tabular/heart.c.arff", "disease"),
}


def figures(asked: Asked) -> Iterator[Figure]:
    """AUROC of each repetition."""
    for name in asked.names:
        title, table, target = SETS[name]
        runs = asked.run(name, None if table is None else asked.data(table))
        yield from compare(runs, target, ["auroc"], data=f"{title}, 5 folds x 3")


def small(root: Path) -> None:
    """Two tables with the columns that the studies name."""
    signal = made_up.hidden(80)
    pima = made_up.numbers(signal, ["plas", "pres", "skin", "insu", "mass"])
    sick = pl.Series("class", np.where(signal > 0, "tested_positive", "tested_negative"))
    made_up.write_arff(root / "tabular" / "diabetes.arff", pima.with_columns(sick))
    heart = made_up.numbers(signal, ["age", "chol"]).with_columns(
        pl.Series("num", np.where(signal > 0, ">50_1", "<50"))
    )
    made_up.write_arff(root / "tabular" / "heart.c.arff", heart)


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(SETS), small=small)
