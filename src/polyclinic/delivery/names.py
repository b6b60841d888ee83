"""What metrics and plain models are called; what another program brings keeps its own name."""

from polyclinic.delivery.metric_names import METRICS
from polyclinic.translations.phrase import Phrase

PLAIN_MODELS = {
    "logistic": "logistic regression",
    "logistic_regression": "logistic regression",
    "logistic regression": "logistic regression",
    "linear models": "linear models",
    "ridge": "ridge regression",
    "linear": "linear regression",
    "cox": "Cox regression",
    "boosting": "gradient boosting",
    "gradient_boosting": "gradient boosting",
    "gradient boosting": "gradient boosting",
    "forest": "random forest",
    "pixel logistic": "logistic regression point by point",
    "pixel boosting": "gradient boosting point by point",
    "blobs and logistic regression": "blobs and logistic regression",
    "Otsu and watershed": "Otsu and watershed",
    "dictionary": "dictionary of training mentions",
    "linear CRF with dictionary": "linear CRF with dictionary",
    "TF-IDF + logistic regression": "TF-IDF and logistic regression",
    "polyclinic": "this model",
}
"""Plain models by the name that training gives them; the value is a phrase."""


def metric_name(metric: str) -> str:
    """What a metric is called; one that nobody described, by its own word."""
    return Phrase(METRICS[metric].english) if metric in METRICS else metric.replace("_", " ").capitalize()


def metric_meaning(metric: str) -> str:
    """What a metric says, in a clinician's words; empty where nobody described it."""
    return Phrase(METRICS[metric].meaning) if metric in METRICS else ""


def model_name(model: str) -> str:
    """What a model is called."""
    return Phrase(PLAIN_MODELS[model]) if model in PLAIN_MODELS else model
