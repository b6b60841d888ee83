"""What is wrong or doubtful with the scans of a column, which are copies, and what the files give away. No torch."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Shaped, UInt64

from polyclinic.errors import Finding, Severity
from polyclinic.geometry import to_working
from polyclinic.records.absent import FileFindings
from polyclinic.records.scans.lattices import lattice
from polyclinic.records.scans.scans import Remark, Scan, Scans

FILES = FileFindings("volume")


def doubtful(scans: Scans, place: str) -> list[Finding]:
    """What does not stop the run: empty volumes, unknown geometry, and what the readers put right."""
    return [*_blank(scans, place), *_nowhere(scans, place), *_remarks(scans, place)]


def fingerprints(scans: Scans) -> UInt64[np.ndarray, " sample"]:
    """A number per row, 0 where absent: scans of the same content, however turned, scaled or stored, have the same."""
    numbers: dict[int, int] = {}
    for entry in sorted({int(one) for one in scans.entry}):
        scan = scans.at(entry)
        numbers[entry] = 0 if scan is None else _number(scan)
    return np.array([numbers[int(entry)] for entry in scans.entry], dtype=np.uint64)


def properties(scans: Scans) -> Mapping[str, Shaped[np.ndarray, " sample"]]:
    """Properties of the files, by row."""
    facts = [scans.facts[entry] if entry >= 0 else None for entry in scans.entry.tolist()]
    steps = [scans.geometry[entry] if entry >= 0 else None for entry in scans.entry.tolist()]
    spacing = [(0.0, 0.0, 0.0) if one is None or one.spacing is None else one.spacing for one in steps]
    return {
        "format": np.array([one.format if one else "" for one in facts]),
        "modality": np.array([one.modality if one else "" for one in facts]),
        "bits": np.array([one.bits if one else 0 for one in facts]),
        "bytes": np.array([one.bytes if one else 0 for one in facts]),
        "origin": np.array([one.origin if one else "" for one in facts]),
        **{f"points_{axis}": np.array([one.shape[n] if one else 0 for one in facts]) for n, axis in enumerate("ijk")},
        **{f"step_{axis}": np.array([round(one[n], 4) for one in spacing]) for n, axis in enumerate("ijk")},
    }


def _number(scan: Scan) -> int:
    """Hash of 8-bit levels between least and greatest value, axes turned upright."""
    upright = to_working(scan.values, lattice(scan.geometry, None, upright=True))
    low, high = float(upright.min()), float(upright.max())
    digest = hashlib.blake2b(str(upright.shape).encode(), digest_size=8)
    for plane in upright:
        level = (plane.astype(np.float32) - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
        digest.update(np.rint(level).astype(np.uint8).tobytes())
    return int.from_bytes(digest.digest(), "little") or 1


def _blank(scans: Scans, place: str) -> list[Finding]:
    rows = _rows(scans, [entry for entry, blank in enumerate(scans.blank) if blank])
    if not rows:
        return []
    rule, found = "a volume should show something", f"{len(rows)} have one value everywhere"
    remedy = "Look whether the export went wrong."
    return [Finding("blank_volume", place, rule, found, remedy, Severity.WARNING, rows)]


def _nowhere(scans: Scans, place: str) -> list[Finding]:
    """A mixture of files with and without geometry: some would be turned and resampled, others not."""
    lost = [n for n, one in enumerate(scans.geometry) if one is not None and (one.affine is None or not one.spacing)]
    rows = _rows(scans, lost)
    known = sum(one is not None for one in scans.geometry)
    if not rows or len(lost) == known:
        return []
    rule, found = "files should say where their voxels lie", f"{len(rows)} do not, others do"
    remedy = "Give these as NIfTI or DICOM: their axes and steps are taken as they come."
    return [Finding("unknown_geometry", place, rule, found, remedy, Severity.WARNING, rows)]


def _remarks(scans: Scans, place: str) -> list[Finding]:
    where: dict[tuple[str, str, str, bool], list[int]] = {}
    first: dict[tuple[str, str, str, bool], Remark] = {}
    for entry, remarks in enumerate(scans.remarks):
        for one in remarks:
            kind = (one.name, one.rule, one.remedy, one.doubtful)
            first.setdefault(kind, one)
            where.setdefault(kind, []).append(entry)
    return [
        Finding(
            name=one.name,
            place=place,
            rule=one.rule,
            found=f"{len(_rows(scans, where[kind]))} of {len(scans)}, such as: {one.found}",
            remedy=one.remedy,
            severity=Severity.WARNING if one.doubtful else Severity.NOTE,
            rows=_rows(scans, where[kind]),
        )
        for kind, one in first.items()
        if _rows(scans, where[kind])
    ]


def _rows(scans: Scans, entries: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(row) + 1 for row in np.flatnonzero(np.isin(scans.entry, entries)))
