"""Another program's answers in the form that the columns show, and how far they can be judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Shaped

from polyclinic.answers.base import Answer
from polyclinic.answers.classes import ClassAnswer
from polyclinic.answers.survival import SurvivalAnswer
from polyclinic.answers.value import ValueAnswer
from polyclinic.errors import Severity
from polyclinic.evidence.limited import DECISIONS, RANKS, Limit
from polyclinic.formats.columns.column_types import counted
from polyclinic.steps.foreign.column_names import Role, no_answer
from polyclinic.steps.foreign.foreign_table import ForeignTable
from polyclinic.steps.foreign.two_classes import (
    Pair,
    Words,
    different,
    events_of,
    kept,
    numbered,
    pair_of,
    unknown_words,
    words_of,
)

_DECIMALS = (2, 3)
"""Chances written with so few decimals sum to 1 but for half a last digit each; with more, as with three."""

Mask = Bool[np.ndarray, " sample"]


@dataclass(frozen=True)
class ForeignAnswer:
    """Answers to one question.

    Attributes:
        answer: In our form.
        limit: How far it can be judged; None = in every way.
    """

    answer: Answer
    limit: Limit | None = None


def read_answer(file: ForeignTable, mine: Mask) -> ForeignAnswer | None:
    """The answer in the form that the columns of these rows show; None with a finding where they show none.

    Args:
        file: The table.
        mine: The rows that belong to this question; the others get a harmless answer and no truth.
    """
    cells = file.table.filter(pl.Series(mine))
    there = {name for name in file.table.columns if cells[name].null_count() < len(cells)}
    roles = {role: column for role, column in file.roles.of.items() if column in there}
    answer = file.roles.answer if file.roles.answer in there else None
    classes = {name: column for name, column in file.roles.classes.items() if column in there}
    risk = _risk(roles, answer)
    if Role.EVENT in roles and Role.TIME in roles and risk is not None:
        return ForeignAnswer(_survival(file, mine, roles, risk))
    if Role.TRUTH not in roles:
        file.findings.append(no_answer(file.name, file.table.columns))
        return None
    if classes:
        return _classes(file, mine, classes)
    if Role.CHANCE in roles and answer is None:
        return _yes_or_no(file, mine, roles[Role.CHANCE], strict=True)
    kinds = (Role.VALUE, Role.SCORE, Role.RISK, Role.PREDICTED)
    chosen = answer or next((roles[role] for role in kinds if role in roles), None)
    if chosen is None:
        file.findings.append(no_answer(file.name, file.table.columns))
        return None
    return _by_content(file, mine, chosen, named_value=answer is None and Role.VALUE in roles)


def _risk(roles: dict[Role, str], answer: str | None) -> str | None:
    """The column of the risk; where there is no truth, a score or a prediction is one."""
    if answer is not None or Role.RISK in roles:
        return answer or roles[Role.RISK]
    if Role.TRUTH in roles:
        return None
    return roles.get(Role.SCORE) or roles.get(Role.PREDICTED)


def _by_content(file: ForeignTable, mine: Mask, column: str, *, named_value: bool) -> ForeignAnswer | None:
    """A number, a score or a class, as the cells of truth and answer show."""
    truth = file.table[file.roles.of[Role.TRUTH]]
    answer = file.table[column].filter(pl.Series(mine))
    numeric = answer.dtype.is_numeric()
    words = different(words_of(truth.filter(pl.Series(mine))))
    if named_value or (numeric and truth.dtype.is_numeric() and len(words) > 2):
        known = file.numbers(truth.name, mine)
        return ForeignAnswer(
            ValueAnswer("", np.where(mine, file.filled(column, mine), 0.0), np.where(mine, known, np.nan))
        )
    scores = [file.roles.of.get(role) for role in (Role.SCORE, Role.RISK)]
    if column in scores or (numeric and not set(different(words_of(answer))) <= set(words)):
        return _yes_or_no(file, mine, column, strict=False)
    return _decided(file, mine, column)


def _truth(file: ForeignTable, mine: Mask, classes: Sequence[str], most: int | None = None) -> Words:
    """The truth of these rows as words; words for "not known" are left out where they are no class, and told."""
    column = file.roles.of[Role.TRUTH]
    words = kept(words_of(file.table[column]), mine)
    unknown = unknown_words(words, classes, most)
    if unknown.any():
        found = f"a word such as NA in {counted(int(unknown.sum()), 'row')}, and no class of that name"
        rule, remedy = "a truth should be a class", "These rows are not judged; leave the cells empty."
        file.told("truth_not_known", column, rule, found, remedy, Severity.NOTE)
    return kept(words, ~unknown)


def _pair(file: ForeignTable, words: Words) -> Pair | None:
    """The two classes; None with a finding where it is not clear which is the positive one."""
    column, names = file.roles.of[Role.TRUTH], different(words)
    if not names:
        return Pair("0", "1")
    if len(names) > 2:
        rule, found = "there must be two classes", f"{len(names)} different words"
        remedy = "Give a column probability_<class> for every class, or name the column of the answer with --answer."
        file.found("unknown_truth", column, rule, found, remedy, _stray(words, names))
        return None
    pair = pair_of(names, column, file.said.positive)
    if pair is None:
        rule, found = "it must be clear which class the answer is about", "the words do not tell"
        if file.said.positive is not None:
            found = "none is called as --positive says"
        file.found("positive_not_clear", column, rule, found, "Name it with --positive.")
    return pair


def _stray(words: Words, names: Sequence[str]) -> tuple[int, ...]:
    """The rows that are neither 0 nor 1, where others are."""
    if not {"0", "1"} <= set(names):
        return ()
    return tuple(row for row, word in enumerate(words, 1) if word not in (None, "0", "1"))


def _yes_or_no(file: ForeignTable, mine: Mask, column: str, *, strict: bool) -> ForeignAnswer | None:
    """The chance, or the score, of the positive one of two classes."""
    words = _truth(file, mine, (), 2)
    pair = _pair(file, words)
    values = file.filled(column, mine)
    outside = mine & ((values < 0) | (values > 1))
    if strict:
        _refuse_outside(file, column, outside)
    if pair is None:
        return None
    truth = numbered(words, (pair.negative, pair.positive))
    if outside.any() and not strict:
        rule, found = "a score may be any number", f"outside 0 to 1 in {counted(int(outside.sum()), 'row')}"
        remedy = "Only how the scores rank patients is judged; give probabilities to have their calibration judged too."
        file.told("no_probabilities", column, rule, found, remedy, Severity.WARNING)
        return ForeignAnswer(_two(pair, np.where(mine, _ranks(values), 0.5), truth), RANKS)
    if not strict:
        rule, found = "a score may be any number", "all lie between 0 and 1"
        remedy = "They are judged as probabilities of the positive class."
        file.told("taken_as_probabilities", column, rule, found, remedy, Severity.NOTE)
    return ForeignAnswer(_two(pair, np.where(mine, np.clip(values, 0, 1), 0.5), truth))


def _two(pair: Pair, chance: Float[np.ndarray, " sample"], truth: Float[np.ndarray, " sample"]) -> ClassAnswer:
    chances = np.stack([1 - chance, chance], axis=1)
    return ClassAnswer((pair.negative, pair.positive), chances, chances, truth)


def _ranks(values: Float[np.ndarray, " sample"]) -> Float[np.ndarray, " sample"]:
    """Numbers between 0 and 1 in the same order, equal where the values are."""
    levels, place = np.unique(values, return_inverse=True)
    return np.asarray((place.reshape(-1) + 1) / (len(levels) + 1), dtype=np.float64)


def _decided(file: ForeignTable, mine: Mask, column: str) -> ForeignAnswer | None:
    """The classes that the program decided for, without a chance."""
    answers = kept(words_of(file.table[column]), mine)
    words = _truth(file, mine, different(answers))
    names = different(words)
    if len(names) <= 2:
        pair = _pair(file, words)
        names = [] if pair is None else [pair.negative, pair.positive]
    if not names:
        return None
    chosen = numbered(answers, names)
    remedy = "Write the classes as the truth does."
    file.broken("unknown_answer", column, "must be one of the classes of the truth", remedy, mine & np.isnan(chosen))
    chances = np.full((len(mine), len(names)), 1 / len(names))
    known = np.flatnonzero(np.isfinite(chosen))
    chances[known] = np.eye(len(names))[chosen[known].astype(int)]
    rule, found = "an answer should be a probability", "it holds classes"
    remedy = (
        "Only how often they are right is judged; name the column of the probability with --answer if there is one."
    )
    file.told("decisions_only", column, rule, found, remedy, Severity.WARNING)
    return ForeignAnswer(ClassAnswer(tuple(names), chances, chances, numbered(words, names)), DECISIONS)


def _classes(file: ForeignTable, mine: Mask, classes: dict[str, str]) -> ForeignAnswer | None:
    """A chance for each class."""
    if len(classes) == 1:
        return _one_class(file, mine, *next(iter(classes.items())))
    names = _in_order(file, tuple(classes))
    columns = [file.filled(classes[name], mine) for name in names]
    for name, column in zip(names, columns, strict=True):
        _refuse_outside(file, classes[name], mine & ((column < 0) | (column > 1)))
    chances = np.stack([np.where(mine, column, 1 / len(names)) for column in columns], axis=1)
    total = chances.sum(axis=1)
    odd = np.abs(total - 1) > _rounding(chances)
    remedy = "Give one probability for every class."
    file.broken("probability_sum", "probability_<class>", "must sum to 1 over the classes", remedy, mine & odd)
    chances = chances / np.where(total > 0, total, 1.0)[:, None]
    words = _truth(file, mine, names)
    truth = numbered(words, names)
    stray = np.array([word is not None for word in words]) & np.isnan(truth)
    remedy = "Give a column probability_<class> for every class that occurs."
    file.broken("unknown_truth", file.roles.of[Role.TRUTH], "must be one of the classes", remedy, stray)
    return ForeignAnswer(ClassAnswer(names, chances, chances, truth))


def _rounding(chances: Float[np.ndarray, "sample klass"]) -> float:
    """How far the sum of a row may be from 1 by rounding."""
    fits = (decimals for decimals in _DECIMALS if np.allclose(chances, chances.round(decimals), rtol=0, atol=1e-9))
    return float(chances.shape[1] * 0.5 * 10.0 ** -next(fits, max(_DECIMALS)) + 1e-9)


def _in_order(file: ForeignTable, names: tuple[str, ...]) -> tuple[str, ...]:
    """The classes as they stand; of two the positive one last."""
    if len(names) != 2:
        return names
    pair = pair_of(names, file.roles.of[Role.TRUTH], file.said.positive)
    if pair is not None:
        return pair.negative, pair.positive
    rule, found = (
        "of two classes one is the positive one",
        "the words do not tell which; the one that stands last was taken",
    )
    column = file.roles.of[Role.TRUTH]
    file.told("positive_not_clear", column, rule, found, "Name it with --positive.", Severity.WARNING)
    return names


def _one_class(file: ForeignTable, mine: Mask, name: str, column: str) -> ForeignAnswer | None:
    """The chance of one of two classes."""
    words = _truth(file, mine, (name,), 2)
    others = [word for word in different(words) if np.isnan(numbered(np.array([word], dtype=object), [name]))[0]]
    chance = file.filled(column, mine)
    _refuse_outside(file, column, mine & ((chance < 0) | (chance > 1)))
    if len(others) != 1 or len(different(words)) > 2:
        rule = "there must be one such column per class, or two classes"
        found = f"there is one only, and {counted(len(others), 'other class')} in the truth".replace(
            "classs", "classes"
        )
        file.found("one_class", column, rule, found, 'Add the others, or call the column "probability".')
        return None
    pair = Pair(others[0], name)
    return ForeignAnswer(_two(pair, np.where(mine, np.clip(chance, 0, 1), 0.5), numbered(words, (others[0], name))))


def _refuse_outside(file: ForeignTable, column: str, outside: Shaped[np.ndarray, " sample"]) -> None:
    score = "" if column in file.roles.classes.values() else '; or call the column "score"'
    remedy = f"Give probabilities, not percentages or logits{score}."
    file.broken("impossible_probability", column, "must lie between 0 and 1", remedy, outside)


def _survival(file: ForeignTable, mine: Mask, roles: dict[Role, str], risk: str) -> SurvivalAnswer:
    words = kept(words_of(file.table[roles[Role.EVENT]]), mine)
    words = kept(words, ~unknown_words(words, ("0", "1")))
    event, time = events_of(words), file.numbers(roles[Role.TIME], mine)
    wrong = np.array([word is not None for word in words]) & np.isnan(event)
    remedy = "Write 1 = seen, 0 = censored."
    file.broken("impossible_event", roles[Role.EVENT], "must be 0 or 1", remedy, wrong)
    late = mine & np.isfinite(time) & (time <= 0)
    file.broken("impossible_time", roles[Role.TIME], "must be above 0", "Correct the times.", late)
    nothing = np.zeros((len(mine), 0))
    return SurvivalAnswer(
        unit="",
        risk=np.where(mine, file.filled(risk, mine), 0.0),
        times=nothing,
        survival=nothing,
        event=np.where(mine, event, np.nan),
        time=np.where(mine, time, np.nan),
    )
