"""The plain models of this house for dense questions: each file registers its own when it is imported, here."""

from polyclinic.baselines import boxes as plain_boxes
from polyclinic.baselines import cells as plain_cells
from polyclinic.baselines import regions as plain_pixels
from polyclinic.baselines import relations as plain_relations
from polyclinic.baselines import tags as plain_tags
from polyclinic.baselines.dense import answer_dense

__all__ = ["answer_dense", "plain_boxes", "plain_cells", "plain_pixels", "plain_relations", "plain_tags"]
