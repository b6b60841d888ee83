"""Patients behind the rows: what is drawn is always a patient with all of his or her rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class PatientGroups:
    """Who stands behind each row. Patients who must stay together, such as a family, count as one here.

    Attributes:
        unit: Number of the patient (or family) behind each row.
        group: Outcome group of each patient, -1 where not known.
    """

    unit: Int[np.ndarray, " row"]
    group: Int[np.ndarray, " patient"]

    def __len__(self) -> int:
        return len(self.group)

    def rows(self, chosen: Bool[np.ndarray, " patient"]) -> Bool[np.ndarray, " row"]:
        """The rows of some patients."""
        return np.asarray(chosen[self.unit])


def patient_groups(
    patient: Shaped[np.ndarray, " row"],
    groups: Int[np.ndarray, " row"],
    together: Int[np.ndarray, " row"] | None = None,
) -> PatientGroups:
    """The patients behind the rows, joined where rows share a number of ``together``.

    A patient whose rows lie in several outcome groups counts to the highest: with two classes, to the positive one.
    """
    unit = np.unique(patient, return_inverse=True)[1]
    if together is not None:
        unit = joined(unit, together)
    group = np.full(int(unit.max(initial=-1)) + 1, -1, dtype=np.int64)
    np.maximum.at(group, unit, groups)
    return PatientGroups(unit, group)


def copies(fingerprints: Mapping[str, UInt64[np.ndarray, " row"]]) -> Int[np.ndarray, " row"]:
    """A number for each row, the same for rows that are copies in any respect.

    Args:
        fingerprints: Equal where rows are copies, 0 = none, by what was compared: see ``find_copies``.
    """
    part: Int[np.ndarray, " row"] | None = None
    for prints in fingerprints.values():
        own = np.unique(prints, return_inverse=True)[1]
        own = np.where(prints == 0, own.max(initial=0) + 1 + np.arange(len(own)), own)
        part = own if part is None else joined(part, own)
    assert part is not None  # a study has at least one input
    return np.unique(part, return_inverse=True)[1]


def joined(a: Int[np.ndarray, " row"], b: Int[np.ndarray, " row"]) -> Int[np.ndarray, " row"]:
    """Numbers of the parts that hang together when rows are linked by either of two labels, 0 or more."""
    nodes = int(a.max()) + int(b.max()) + 2
    links = coo_array((np.ones(len(a), dtype=np.int8), (a, b + int(a.max()) + 1)), shape=(nodes, nodes))
    part = connected_components(links, directed=False)[1][a]
    return np.unique(part, return_inverse=True)[1]
