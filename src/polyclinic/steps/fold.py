"""One fold of a study: its networks trained, calibrated on rows that chose nothing, and asked about the test rows."""

from dataclasses import replace

from polyclinic.cohort.rows import Fold
from polyclinic.predictions.record import Predictions
from polyclinic.steps.cross_fit import run_cross_fitted
from polyclinic.steps.network import FoldPlan, Member, MemberRun, make_ready, run_member
from polyclinic.training.assembled import Assembled
from polyclinic.training.ensemble import Correcting, FoldOutputs, average_fold, calibrate_fold
from polyclinic.training.progress import Progress
from polyclinic.training.random_streams import derive
from polyclinic.training.search import SettingsSearch, search


def run_fold(
    assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress
) -> tuple[Predictions, tuple[Member, ...]]:
    """Train the members of a fold and answer for its tune and test rows.

    Heads learn their constants from the first member's training rows, so that all members answer on one scale and
    one calibration, learned from rows that chose nothing, serves all.

    Raises:
        StudyError, BundleError: as ``fit`` does.
    """
    first = fold.members[0].train
    assembled = replace(assembled, questions={name: q.fit(first) for name, q in assembled.questions.items()})
    plan = _searched(assembled, fold, plan, progress)
    if fold.crossed:
        members, outputs = run_cross_fitted(assembled, fold, plan, progress)
    else:
        runs: list[MemberRun] = []
        for number in range(len(fold.members)):
            spent_s = sum(run.member.fitted.spent_s for run in runs)
            now = plan.with_what_was_left(fold.fits, len(runs), spent_s)
            runs.append(run_member(assembled, fold, number, now, progress))
        members = tuple(run.member for run in runs)
        outputs = FoldOutputs.of_members(fold, [run.tune for run in runs], [run.test for run in runs])
    correcting = Correcting.of(plan.training)
    calibrated = calibrate_fold(assembled.questions, outputs, correcting, assembled.cohort.patient_number)
    answers = average_fold("polyclinic", assembled.cohort, fold, calibrated, outputs)
    heads = {name: question.head for name, question in calibrated.items()}
    return answers, tuple(replace(member, heads=heads) for member in members)


def _searched(assembled: Assembled, fold: Fold, plan: FoldPlan, progress: Progress) -> FoldPlan:
    """The plan with the settings that did best on the first tune rows, where the study asks for a search."""
    if not plan.training.search or plan.scratch is None:
        return plan
    rows = fold.chosen_on[0]
    ready = make_ready(assembled, rows)
    seed = derive(plan.seed, fold.repeat, fold.number)
    folder = plan.scratch / f"search-{fold.repeat}-{fold.number}"
    trials = plan.training.search
    # The cap covers the fold: each of its trials and fits gets an even share of what its fits would have had.
    share = None if plan.cap_s is None else plan.cap_s * fold.fits / (trials + fold.fits)
    chosen = search(SettingsSearch(ready, rows, plan.model, plan.training, seed, folder, share), progress)
    left = None if plan.cap_s is None else plan.cap_s - chosen.spent_s / fold.fits
    return replace(plan, model=chosen.model, training=chosen.training, cap_s=left, searched_s=chosen.spent_s)
