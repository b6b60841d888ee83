"""Synthetic notes with a known signal and known mentions, for tests and tutorials. No text of a real patient."""

import numpy as np
from jaxtyping import Float

Span = tuple[int, int, str]

_GRADES = ("no", "minimal", "slight", "mild", "moderate", "marked", "severe", "extreme")
_COMPLAINTS = ("dyspnoea", "chest pain", "ankle swelling", "fatigue")
_DRUGS = ("metoprolol", "ramipril", "atorvastatin", "aspirin", "amlodipine", "furosemide", "metformin", "warfarin")
_DISEASES = (
    "atrial fibrillation",
    "type 2 diabetes",
    "hypertension",
    "heart failure",
    "asthma",
    "chronic kidney disease",
)
_PATTERNS = (
    "Known {disease} since 2015.",
    "Takes {drug} 50 mg daily.",
    "No history of {disease}.",
    "{drug} was stopped because of cough.",
    "The father had {disease}.",
    "Lives alone and walks without help.",
)


def notes(rng: np.random.Generator, signal: Float[np.ndarray, " sample"]) -> list[tuple[str, tuple[Span, ...]]]:
    """One note per signal, with its mentions of drugs and diseases.

    The first sentence grades the complaint: an eighth of all signals, from the lowest up, for each of eight words.
    """
    edges = np.quantile(signal, np.arange(1, len(_GRADES)) / len(_GRADES)) if len(signal) else np.zeros(0)
    return [_note(rng, int(np.searchsorted(edges, value))) for value in signal]


def _note(rng: np.random.Generator, grade: int) -> tuple[str, tuple[Span, ...]]:
    complaint = _COMPLAINTS[rng.integers(len(_COMPLAINTS))]
    text = f"Reports {_GRADES[grade]} {complaint} on exertion."
    spans: list[Span] = []
    for pattern in rng.permutation(len(_PATTERNS))[: rng.integers(2, 5)]:
        before, mention, label, after = _filled(rng, _PATTERNS[pattern])
        text += " " + before
        if mention:
            spans.append((len(text), len(text) + len(mention), label))
        text += mention + after
    return text, tuple(spans)


def _filled(rng: np.random.Generator, pattern: str) -> tuple[str, str, str, str]:
    """What stands before the mention, the mention, its label, and what follows."""
    for label, words in (("drug", _DRUGS), ("disease", _DISEASES)):
        if f"{{{label}}}" in pattern:
            before, after = pattern.split(f"{{{label}}}")
            word = words[rng.integers(len(words))]
            return before, word if before else word.capitalize(), label, after
    return pattern, "", "", ""
