"""The plain models of this house for dense questions: each file registers its own when it is imported, here."""

from polyclinic.training import plain_boxes, plain_cells, plain_pixels, plain_relations, plain_tags
from polyclinic.training.plain_dense import answer_dense

__all__ = ["answer_dense", "plain_boxes", "plain_cells", "plain_pixels", "plain_relations", "plain_tags"]
