"""Breast cytology, Pima diabetes, UCI heart: 5 folds x 3, AUROC against logistic regression and boosting, same rows.

    POLYCLINIC_DATA=... python benchmarks/small_tables.py [cytology] [pima] [heart]

Reference, measured on 10 folds x 5 with scikit-learn: logistic .995 / .839 / .905, forest - / .836 / .912.
Data: breast cytology comes with scikit-learn; Pima (diabetes.arff) and heart (heart.c.arff) are UCI sets in
github.com/renatopp/arff-datasets, laid as tabular/diabetes.arff and tabular/heart.c.arff.
"""

import sys

from measure import by_repeat, data, measure, row

STUDIES = (
    ("cytology", None, "malignant", 0.995),
    ("pima", "tabular/diabetes.arff", "diabetes", 0.840),
    ("heart", "tabular/heart.c.arff", "disease", 0.910),
)


def main(names: list[str]) -> None:
    for name, table, target, goal in STUDIES:
        if names and name not in names:
            continue
        measured = measure(name, None if table is None else data(table))
        print(f"\n{name}: goal AUROC {goal:.3f}; {measured.minutes:.1f} min, peak {measured.gib:.2f} GiB")
        for model, predictions in measured.models.items():
            print(row(model, by_repeat(predictions, target, ["auroc"])["auroc"]))
        print(measured.evidence["targets"][target]["verdict"])


if __name__ == "__main__":
    main(sys.argv[1:])
