"""Makes ../survival_cohort.csv and ../survival_oracle.json with scikit-survival, which is GPL and never a dependency.

Run in an environment of its own: ``pip install scikit-survival && python survival_oracle.py``.
"""

import json
from pathlib import Path

import numpy as np
import sksurv
from sksurv import metrics
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

HERE = Path(__file__).parents[1]
N = 150


def cohort() -> np.ndarray:
    """Columns event, time, risk, tied_time, tied_risk, rate: the survival curve is exp(-rate * t)."""
    rng = np.random.default_rng(20261120)
    hidden = rng.normal(size=N)
    rate = np.exp(0.8 * hidden) / 400
    event_time, censor_time = rng.exponential(1 / rate), rng.exponential(500, size=N)
    time = np.minimum(event_time, censor_time) + 1
    risk = hidden + rng.normal(size=N) * 0.7
    tied_time = np.ceil(time / 60) * 60
    columns = [
        event_time <= censor_time,
        time,
        risk,
        tied_time,
        np.round(risk, 1),
        rate * np.exp(0.3 * (risk - hidden)),
    ]
    return np.round(np.stack(columns, axis=1).astype(float), 9)


def oracle(table: np.ndarray) -> dict:
    event, time, risk, tied_time, tied_risk, rate = table.T
    event = event == 1
    outcome = Surv.from_arrays(event, time)
    moments = np.quantile(time[event], np.linspace(0.1, 0.8, 8))
    curve = np.exp(-rate[:, None] * moments[None, :])
    tau = float(np.quantile(time, 0.8))
    auc, mean_auc = metrics.cumulative_dynamic_auc(outcome, outcome, risk, moments)
    steps, share, limits = kaplan_meier_estimator(event, tied_time, conf_type="log-log")
    return {
        "program": "scikit-survival",
        "version": sksurv.__version__,
        "moments": moments.tolist(),
        "tau": tau,
        "harrell": metrics.concordance_index_censored(event, time, risk)[0],
        "harrell_tied_time": metrics.concordance_index_censored(event, tied_time, risk)[0],
        "harrell_tied_both": metrics.concordance_index_censored(event, tied_time, tied_risk)[0],
        "uno": metrics.concordance_index_ipcw(outcome, outcome, risk)[0],
        "uno_tied_risk": metrics.concordance_index_ipcw(outcome, outcome, tied_risk)[0],
        "uno_tau": metrics.concordance_index_ipcw(outcome, outcome, risk, tau=tau)[0],
        "brier": metrics.brier_score(outcome, outcome, curve, moments)[1].tolist(),
        "integrated_brier": metrics.integrated_brier_score(outcome, outcome, curve, moments),
        "auc": auc.tolist(),
        "mean_auc": mean_auc,
        "km_times": steps.tolist(),
        "km_share": share.tolist(),
        "km_low": limits[0].tolist(),
        "km_high": limits[1].tolist(),
    }


if __name__ == "__main__":
    table = cohort()
    header = "event,time,risk,tied_time,tied_risk,rate"
    np.savetxt(HERE / "survival_cohort.csv", table, delimiter=",", header=header, comments="", fmt="%.9g")
    saved = np.loadtxt(HERE / "survival_cohort.csv", delimiter=",", skiprows=1)
    text = json.dumps(oracle(saved), indent=1, default=float)
    (HERE / "survival_oracle.json").write_text(text + "\n", encoding="utf-8")
