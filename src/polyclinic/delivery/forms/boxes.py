"""Objects as boxes, for new patients: how many of each class, and the boxes as JSON."""

import json
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from polyclinic.answers.boxes import BoxAnswer
from polyclinic.delivery.blocks import figure
from polyclinic.delivery.figures.chances import MEAN, ClassWords
from polyclinic.delivery.figures.counted import found_of_hundred, per_record
from polyclinic.delivery.figures.froc import froc
from polyclinic.delivery.forms.base import AnswerFiles, AnswerLimits, Column, Columns, Delivery
from polyclinic.delivery.markup import Element
from polyclinic.delivery.number_columns import counted, known
from polyclinic.delivery.verdict import nearest_plain
from polyclinic.evidence.conformal import half_width
from polyclinic.evidence.records import TargetEvidence
from polyclinic.formats.disk import write_file
from polyclinic.formats.packed import unpack
from polyclinic.formats.readable import json_column
from polyclinic.translations.phrase import Phrase, sentences

_AXES = {2: ("row", "column"), 3: ("i", "j", "k")}


class BoxDelivery(Delivery):
    """Delivers a ``BoxAnswer``."""

    class_words = ClassWords(
        counted=Phrase("Objects"),
        reading=Phrase("One line per class: the more of its objects are found, the fewer of the boxes are right."),
    )
    record_metric = "object_f1"
    listed = True

    def columns(self, answer: BoxAnswer, limits: AnswerLimits) -> Columns:
        """How many boxes of each class count, with an interval, the highest score, and the boxes that count."""
        counts, best = _boxes(answer)
        tune_counts, _ = _boxes(limits.tune)
        columns: dict[str, Column] = {}
        for k, name in enumerate(answer.classes):
            true = [np.nan if not t else np.count_nonzero(unpack(t)[:, 0] == k) for t in limits.tune.truth]
            half = half_width(tune_counts[:, k], np.array(true, dtype=np.float64), limits.confidence)
            columns |= counted(f"count_{name}", counts[:, k], half)
            columns[f"highest_{name}"] = known(best[:, k])
        columns["boxes"] = json_column(
            None if boxes is None else [box for box in boxes if box["counted"]] for boxes in answer.listed()
        )
        return columns

    def first(self, target: TargetEvidence) -> Element:
        """How many of 100 are found and missed, and how many of 100 marks are wrong."""
        words = (Phrase("of 100 objects"), Phrase("of 100 objects"), Phrase("of 100 boxes that the model draws"))
        pair = ("object_sensitivity", "object_precision")
        return found_of_hundred(
            target,
            Phrase("Of the objects in the pictures"),
            pair,
            words,
            per_record(target, "false_boxes", Phrase("false boxes per picture")),
        ) or super().first(target)

    def files(self, answer: BoxAnswer, position: int, files: AnswerFiles) -> tuple[str, ...]:
        """All boxes, with the thresholds above which they count."""
        if not answer.predicted[position]:
            return ()
        boxes = unpack(answer.predicted[position])
        dim = (boxes.shape[1] - 2) // 2
        thresholds = dict(zip(answer.classes, answer.thresholds[position].tolist(), strict=True))
        found = [_box(box, dim, answer.classes[int(box[1])], answer.thresholds[position]) for box in boxes]
        document = {"unit": answer.unit, "axes": _AXES[dim], "thresholds": thresholds, "boxes": found}
        write_file(files.path(".json"), f"{json.dumps(document, ensure_ascii=False, indent=1)}\n".encode())
        return (files.path(".json").name,)

    def figures(self, target: TargetEvidence, answer: BoxAnswer | None) -> Iterator[Element]:
        """What finding objects costs in false boxes, ours and the plain model's, before all others."""
        if target.curve("froc") is not None:
            words = "The further up, the more is found at the same price in false boxes. Rings: the rates of CPM."
            mean = MEAN if len(target.classes) > 1 else ""
            yield figure(Phrase("FROC curve"), froc(target, nearest_plain(target)), sentences(Phrase(words), mean))
        yield from super().figures(target, answer)


def _boxes(answer: BoxAnswer) -> tuple[Float[np.ndarray, "sample klass"], Float[np.ndarray, "sample klass"]]:
    """How many boxes of each class reach its threshold, and the highest score; NaN where nothing is known."""
    shape = (len(answer), len(answer.classes))
    counts, best = np.full(shape, np.nan), np.full(shape, np.nan)
    for position, content in enumerate(answer.predicted):
        if not content:
            continue
        boxes = unpack(content)
        for k in range(len(answer.classes)):
            scores = boxes[boxes[:, 1] == k, 0]
            counts[position, k] = np.count_nonzero(scores >= answer.thresholds[position, k])
            best[position, k] = scores.max(initial=0.0)
    return counts, best


def _box(
    box: Float[np.ndarray, " entry"], dim: int, word: str, thresholds: Float[np.ndarray, " klass"]
) -> dict[str, object]:
    low, high = (np.round(part.astype(np.float64), 2).tolist() for part in (box[2 : 2 + dim], box[2 + dim :]))
    found = bool(box[0] >= thresholds[int(box[1])])
    return {"class": word, "score": round(float(box[0]), 4), "counted": found, "low": low, "high": high}
