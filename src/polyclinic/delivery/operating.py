"""The one threshold of a study in words: what is answered from which probability on, and by which rule."""

from polyclinic.delivery.numbers import significant
from polyclinic.evidence.records import OperatingPoint, TargetEvidence
from polyclinic.study.threshold import Aim, read_rule
from polyclinic.translations.phrase import Phrase, joined, sentences


def decision_in_words(target: TargetEvidence) -> str:
    """From which probability on what is answered, and why; empty where there is no threshold."""
    point = target.operating_point
    if point is None:
        return ""
    named = [(name, cut) for name, cut in point.label_delivered.items() if cut is not None]
    if point.delivered is not None:
        named = [(target.classes[-1] if target.classes else "1", point.delivered)]
    if not named:
        return ""
    words = [Phrase("\u201c{word}\u201d from {cut} on", word=word, cut=significant(cut)) for word, cut in named]
    answered = Phrase("Decision by probability: {words}.", words=joined(*words, by="; "))
    return sentences(answered, _why(point), _as_judged(point))


def _why(point: OperatingPoint) -> str:
    """The rule, and on whom it was followed."""
    if not point.chosen_for:
        return Phrase("One half, because there were no tune rows with both answers to choose on.")
    rule = read_rule(point.chosen_for)
    share = f"{100 * rule.level:g}%"
    match rule.aim:
        case Aim.GIVEN:
            return Phrase("The study gives this threshold.")
        case Aim.SENSITIVITY:
            return Phrase("Learned on the tune rows: the highest with a sensitivity of {share} or more.", share=share)
        case Aim.SPECIFICITY:
            return Phrase("Learned on the tune rows: the lowest with a specificity of {share} or more.", share=share)
        case Aim.YOUDEN:
            return Phrase("Learned on the tune rows: highest sensitivity + specificity (Youden).")


def _as_judged(point: OperatingPoint) -> str:
    """That each fold was judged at a threshold of its own, where they differ."""
    cuts = sorted({cut for cut in point.thresholds if cut is not None})
    if len(cuts) < 2:
        return ""
    words = (
        "The figures judge each fold at the threshold of its own tune rows ({low} to {high}): "
        "the one from all folds has seen their test rows."
    )
    return Phrase(words, low=significant(cuts[0]), high=significant(cuts[-1]))
