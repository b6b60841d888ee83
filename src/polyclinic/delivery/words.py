"""Phrases of report and card in the language of the study. The English phrase is the key of the table."""

from dataclasses import dataclass
from typing import Literal

from polyclinic.delivery.chinese import CHINESE
from polyclinic.delivery.chinese_findings import CHINESE_FINDINGS
from polyclinic.delivery.chinese_inputs import CHINESE_INPUTS
from polyclinic.delivery.metric_names import METRICS, plain_name
from polyclinic.translations.phrase import Phrase

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

    def told(self, words: str) -> str:
        """What an input or a finding says: a phrase that the table knows is translated, everything else stays.

        Example:
            >>> Words("zh").told(Phrase("{n} of {all} genes", n=3, all=600))
            '共 600 个基因中的 3 个'
            >>> Words("zh").told("a caption of another package")
            'a caption of another package'
        """
        if not isinstance(words, Phrase) or self.language == "en":
            return words
        template = CHINESE_INPUTS.get(words.template) or CHINESE.get(words.template)
        values = {name: self.told(one) if isinstance(one, str) else one for name, one in words.values.items()}
        return words if template is None else template.format(**values)

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

    def finding(self, name: str) -> str:
        """What a finding means; empty where its own words say it, which are English."""
        return "" if self.language == "en" else CHINESE_FINDINGS.get(name, "")

    def model(self, name: str) -> str:
        """Name of a plain model; one of another program keeps its own name."""
        known = PLAIN_MODELS.get(name)
        return name if known is None else self(known)

    def _pick(self, english: str, chinese: str) -> str:
        return english if self.language == "en" else chinese


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
"""Plain models by the name that training gives them; the value is a phrase of the table."""
