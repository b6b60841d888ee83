"""Cross-fitting: one part of the patients after another is left out, and everything is chosen on answers for strangers.

Networks that each left a part out say how long to train, and how sure answers ought to be; then one network learns from
all patients that are not tested. So no patient is lost to training, and nothing is chosen on rows that it learned from.

Source: cross-fitting after Chernozhukov et al., The Econometrics Journal 2018;21:C1-C68, section 3, here for the number
of epochs and the correction.
"""

from dataclasses import dataclass, replace

import numpy as np

from polyclinic.cohort.rows import Fold, Inner
from polyclinic.errors import Finding, StudyError
from polyclinic.evidence.shift import learn_shift, shift_score
from polyclinic.heads.base import Global
from polyclinic.steps.network import FoldPlan, Member, Network, fit_name, train_network
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import FoldOutputs, RowOutputs
from polyclinic.training.epochs.checkpoint import Epoch
from polyclinic.training.epochs.loop import Ending
from polyclinic.training.epochs.tune_history import best_common_epoch
from polyclinic.training.fit import Fitted
from polyclinic.training.outputs import Outputs
from polyclinic.training.progress import Progress
from polyclinic.training.random_streams import derive

_PLACE = "study.toml [training] cross_fit"
_PARTS = 5  # the usual number: each network learns from four fifths of what the delivered one learns from
_MOST_ROWS = 5000
"""With more, the tune rows alone (15 %, or 750) are enough to learn a correction from, and training on them too gains
little. A round number."""


@dataclass(frozen=True)
class _LeftOut:
    """What the networks that left a part out came to.

    Attributes:
        parts: What was said of each part, by those that it was left out for.
        fitted: How these were found.
        epochs: How many epochs suit the rows that were left out best, all together.
        farther: How much farther strangers lie from the training patients than these from each other, as a factor.
    """

    parts: tuple[RowOutputs, ...]
    fitted: tuple[Fitted, ...]
    epochs: int
    farther: float


def cross_fit_parts(assembled: Assembled) -> int:
    """Into how many parts a study is cross-fitted; 0 = it is not.

    Raises:
        StudyError: if the study asks for it where questions are about places.
    """
    asked, study = assembled.study.training.cross_fit, assembled.study
    whole = all(isinstance(question.head, Global) for question in assembled.questions.values())
    if asked == "auto":
        quick = all(one.kind.quick for one in assembled.inputs.values()) and len(assembled.cohort) <= _MOST_ROWS
        return _PARTS if quick and whole and study.model.ensemble == 1 else 0
    if asked and not whole:
        rule, found = "cross-fitting is for questions about the patient as a whole", "a question is about places"
        raise StudyError(Finding("cross_fit_of_places", _PLACE, rule, found, "Leave cross_fit out."))
    return asked


def run_cross_fitted(
    assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress
) -> tuple[tuple[Member, ...], FoldOutputs]:
    """Train the networks that leave a part out, then the members; and ask them.

    Raises:
        StudyError, BundleError: as ``fit`` does.
    """
    left_out = _leave_out(assembled, fold, plan, progress)
    members, test = [], []
    for number in range(len(fold.members)):
        member, answers = _train_on_all(assembled, fold, number, plan, left_out, progress)
        members.append(member)
        test.append(answers)
    return tuple(members), FoldOutputs(left_out.parts, RowOutputs.together(test))


def _leave_out(assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress) -> _LeftOut:
    count = len(fold.members)
    places = [(part, number) for part in range(len(fold.crossed)) for number in range(count)]
    # A member learns from all rows, and so is longer than a fit that leaves one of the parts out.
    fits = len(places) + count * len(fold.crossed) / (len(fold.crossed) - 1)
    networks: list[Network] = []
    for part, number in places:
        name = f"left-out-{part}-{fit_name(fold, number)}"
        seed = derive(plan.seed, fold.repeat, fold.number, number, 1 + part)
        which = plan.first + len(networks)
        now = plan.with_what_was_left(fits, len(networks), sum(network.fitted.spent_s for network in networks))
        networks.append(train_network(assembled, fold.crossed[part], now, name, seed, which, progress))
    fitted = tuple(network.fitted for network in networks)
    if not all(len(one.tune) for one in fitted):
        rule, found = "the answers of all epochs must fit into memory", "there are too many rows, classes or epochs"
        raise StudyError(Finding("cross_fit_too_large", _PLACE, rule, found, "Write cross_fit = 0."))
    epochs = best_common_epoch([one.tune for one in fitted])
    strangers = [
        _ask_about_strangers(network, fold.crossed[part], epochs)
        for (part, _), network in zip(places, networks, strict=True)
    ]
    parts = tuple(
        RowOutputs.together([one for one, _ in strangers[first : first + count]])
        for first in range(0, len(strangers), count)
    )
    return _LeftOut(parts, fitted, epochs, float(np.mean([farther for _, farther in strangers])))


def _ask_about_strangers(network: Network, rows: Inner, epochs: int) -> tuple[RowOutputs, float]:
    """What a network says, after the common number of epochs, about the rows it was not shown; and how far they lie."""
    summary = network.ask(rows.tune).summary
    reference, nearest = learn_shift(network.known, summary), learn_shift(network.known, summary[:0])
    outputs = Outputs(rows.tune.index, network.fitted.tune.at(epochs), summary)
    return RowOutputs((outputs,), shift_score(reference, summary)), reference.scale / nearest.scale


def _train_on_all(
    assembled: Assembled, fold: Fold, number: int, plan: FoldPlan, left_out: _LeftOut, progress: Progress
) -> tuple[Member, RowOutputs]:
    """A member that learns from all rows, for as many epochs as were found."""
    rows, name = fold.members[number], fit_name(fold, number)
    planned = min(fitted.planned for fitted in left_out.fitted)
    found = {"epochs": planned, "stop_after": (left_out.epochs,), "replanned": None}
    whole = replace(plan, training=plan.training.model_copy(update=found))
    seed = derive(plan.seed, fold.repeat, fold.number, number)
    network = train_network(assembled, rows, whole, name, seed, 0, progress)
    reference = learn_shift(network.known, network.known[:0])
    reference = reference.model_copy(update={"scale": reference.scale * left_out.farther})
    test = network.ask(fold.test)
    fitted = replace(network.fitted, ended=Ending.FOUND, history=_judged_by_strangers(network.fitted, left_out))
    crossed = () if number else left_out.fitted
    searched_s = 0.0 if number else plan.searched_s
    spent_s = searched_s + sum(one.spent_s for one in (*crossed, fitted))
    member = Member(name, network.ready.inputs, network.ready.heads, plan.model, fitted, reference, spent_s, crossed)
    return member, RowOutputs((test,), shift_score(reference, test.summary))


def _judged_by_strangers(fitted: Fitted, left_out: _LeftOut) -> tuple[Epoch, ...]:
    """The history with the loss on rows that were left out, in place of that on tune rows, which there are none of."""
    losses = [
        np.concatenate([one.tune.losses[epoch] for one in left_out.fitted]) for epoch in range(len(fitted.history))
    ]
    return tuple(
        epoch.model_copy(update={"tune_loss": float(np.mean(loss))})
        for epoch, loss in zip(fitted.history, losses, strict=True)
    )
