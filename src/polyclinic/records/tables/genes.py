"""Expression of genes as read: what is doubtful about it, and what it looks like. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from polyclinic.cohort.repeats import Halves
from polyclinic.errors import Finding, Severity
from polyclinic.records.absent import absent_rows
from polyclinic.records.base import Features, Oddity, OddValues, Picture, Records, bar_table
from polyclinic.records.tables.variables import row_halves, row_hashes
from polyclinic.translations.phrase import Phrase

_NOT_LOGGED = 100.0
"""Logarithms to base 2 of expression never reach 100: such a value would be 10 to the power of 30."""
_SURELY_LOGGED = 30.0
"""A sample whose highest value stays below, among others that are raw, looks logged: 2 to the power of 30 is a lot."""
_MOSTLY_MISSING = 0.5
"""Half of the genes: a plain majority, chosen by no measurement."""
_FAR_GENES = 0.01
"""Of any gene at most 1 value in 100 lies farther than ten standard deviations from its mean (Chebyshev's inequality):
a sample with more such genes than that is another sort of sample."""
_HASHED = 256
"""Genes in a fingerprint: enough to tell any two samples apart, and quick with 20,000 columns."""
_SHOWN = 20
"""Genes in a picture; a round number."""


@dataclass(frozen=True)
class Genes(Records):
    """Expression as read, all samples.

    Attributes:
        name: The user's word for the input.
        table: The user's word for the table.
        genes: Names of the genes.
        values: In the table's own unit, NaN where missing.
        required: Whether every patient must have at least one gene.
        raw: Whether the study says that values are raw, not yet logarithms; None = by their size.
        fitted_raw: Whether a fitted kind took them for raw; None while a study learns.
        far: By the genes that a fitted kind looks at, which samples lie farther from its training rows than ten
            standard deviations.
    """

    name: str
    table: str
    genes: tuple[str, ...]
    values: Float[np.ndarray, "sample gene"]
    required: bool = True
    raw: bool | None = None
    fitted_raw: bool | None = None
    far: Mapping[str, Bool[np.ndarray, " sample"]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def check(self) -> list[Finding]:
        """No values at all, genes or samples without any, and samples that look logged among others that do not."""
        missing = np.isnan(self.values)
        if missing.all():
            severity = Severity.ERROR if self.fitted_raw is None else Severity.WARNING
            rule, remedy = "expression must hold values", "Check the columns of this input."
            return [Finding("empty_column", self.table, rule, "all are missing", remedy, severity)]
        findings = absent_rows(self.name, self.table, missing.all(1)) if self.required else []
        if empty := int(missing.all(0).sum()):
            findings.append(self._doubt("empty_genes", f"{empty} genes have no value", "They are left out."))
        if len(rows := np.flatnonzero(missing.mean(1) > _MOSTLY_MISSING)):
            remedy = "A missing gene adds nothing to the answer; so much of it makes the answer weak."
            findings.append(self._doubt("sparse_samples", "samples lack most genes", remedy, rows))
        tops = np.nan_to_num(np.nanmax(np.where(missing, -np.inf, self.values), axis=1), neginf=np.nan)
        raw = bool(np.nanmedian(tops) > _NOT_LOGGED) if self.fitted_raw is None else self.fitted_raw
        if raw and len(rows := np.flatnonzero(tops < _SURELY_LOGGED)):
            remedy = "Give all samples in one unit: all logged or none."
            findings.append(self._doubt("mixed_units", "samples look logged among others not", remedy, rows))
        return findings

    def odd_values(self) -> list[OddValues]:
        """The genes by which a sample is unlike the training rows, where there are too many of them for chance."""
        if not self.far:
            return []
        odd = np.mean(list(self.far.values()), axis=0) > _FAR_GENES
        return [OddValues(gene, Oddity.OUTSIDE, far & odd) for gene, far in self.far.items()]

    def summarise(self) -> Features:
        """Every gene, logarithms taken where the table looks raw."""
        raw = looks_raw(self.values) if self.raw is None else self.raw
        values = np.arcsinh(self.values) if raw else self.values
        return Features(values, self.genes, (False,) * len(self.genes))

    def fingerprints(self) -> UInt64[np.ndarray, " sample"]:
        """A hash of up to 256 genes spread over the columns, 0 where nothing is known."""
        return row_hashes(self._hashed)

    def halves(self) -> Halves:
        """Two halves of the same genes: strangers may share a sample of common values, such as no change."""
        return row_halves(self._hashed)

    @property
    def _hashed(self) -> Float[np.ndarray, "sample gene"]:
        return self.values[:, :: -(-len(self.genes) // _HASHED)]

    def show(self, position: int, attribution: np.ndarray | None = None) -> Picture:
        """Twenty genes: those that an explanation, with a number for every gene, finds to matter most, or the first."""
        genes = np.arange(len(self.genes))
        order = genes if attribution is None else np.argsort(-np.abs(attribution), kind="stable")
        top = order[:_SHOWN]
        values = [f"{value:.4g}" for value in self.values[position, top]]
        caption = Phrase("{name}: {n} of {all} genes", name=self.name, n=len(top), all=len(self.genes))
        parts = None if attribution is None else attribution[top]
        return bar_table(caption, [self.genes[i] for i in top], values, parts)

    def _doubt(self, name: str, found: str, remedy: str, rows: Int[np.ndarray, " row"] | None = None) -> Finding:
        numbers = () if rows is None else tuple(int(row) + 1 for row in rows)
        rule = "expression should be whole and in one unit"
        return Finding(name, self.table, rule, found, remedy, Severity.WARNING, numbers)


def looks_raw(values: Float[np.ndarray, "sample gene"]) -> bool:
    """Whether some value is beyond what a logarithm of expression can be."""
    return bool(np.nanmax(values, initial=0.0) > _NOT_LOGGED)
