"""One of several classes: two are judged as yes or no, more as several."""

from polyclinic.answers.classes import ClassAnswer
from polyclinic.evidence.forms.base import Judge
from polyclinic.evidence.forms.classes import binary, several

BINARY = 2


class ClassJudge(Judge):
    """The door to the two ways in which a ``ClassAnswer`` is judged."""

    words = (binary.BinaryJudge.word, several.MulticlassJudge.word)
    metrics = (*binary.METRICS, *several.METRICS)
    headline = binary.BinaryJudge.headline  # those of several classes begin with a share as well

    @classmethod
    def of(cls, answer: ClassAnswer) -> Judge:
        """The judge for as many classes as there are."""
        judge = binary.BinaryJudge if len(answer.classes) == BINARY else several.MulticlassJudge
        return judge.of(answer)
