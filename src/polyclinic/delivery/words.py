"""Phrases of report and card in the language of the study. The English phrase is the key of the table."""

from dataclasses import dataclass
from typing import Literal

from polyclinic.delivery.chinese import CHINESE
from polyclinic.delivery.metric_names import METRICS, plain_name

Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Words:
    """Speaks a language.

    Example:
        >>> Words("zh")("Patients")
        '患者'
        >>> Words("en")("{n} patients", n=3)
        '3 patients'
    """

    language: Language

    def __call__(self, phrase: str, **values: object) -> str:
        """A phrase of ours, with the user's values put in its places.

        Raises:
            KeyError: if a phrase has no translation; the tests print every page in every language.
        """
        words = phrase if self.language == "en" else CHINESE[phrase]
        return words.format(**values) if values else words

    def sentences(self, *sentences: str) -> str:
        """Sentences one after another, as the language spaces them; empty ones are left out."""
        return (" " if self.language == "en" else "").join(sentence for sentence in sentences if sentence)

    def metric(self, name: str) -> str:
        """Name of a metric."""
        found = METRICS.get(name)
        return plain_name(name) if found is None else self._pick(found.english, found.chinese)

    def meaning(self, name: str) -> str:
        """What a metric says, in a clinician's words; empty when we do not know it."""
        found = METRICS.get(name)
        return "" if found is None else self._pick(found.meaning, found.chinese_meaning)

    def model(self, name: str) -> str:
        """Name of a plain model; one of another program keeps its own name."""
        known = PLAIN_MODELS.get(name)
        return name if known is None else self(known)

    def _pick(self, english: str, chinese: str) -> str:
        return english if self.language == "en" else chinese


PLAIN_MODELS = {
    "logistic": "logistic regression",
    "logistic_regression": "logistic regression",
    "ridge": "ridge regression",
    "linear": "linear regression",
    "cox": "Cox regression",
    "boosting": "gradient boosting",
    "gradient_boosting": "gradient boosting",
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
"""Plain models by the name that training gives them; the value is a phrase of the table."""
