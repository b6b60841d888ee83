"""Small cards for notebooks: what a verb came to, as HTML in which nothing that a user wrote can break out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyclinic.delivery.markup import EMPTY, Element, element, render
from polyclinic.errors import Finding, name_rows

_MOST_METRICS = 6
"""Figures of a target on a card, as many as at the command line; the report has all of them."""


@dataclass(frozen=True)
class Card:
    """What a small card shows.

    Attributes:
        title: Above it.
        lines: Pairs of a word and what it stands for.
        head: Names of the columns of ``rows``.
        rows: A table.
        findings: Each with place, rule, finding and remedy.
        report: A page to open, or None.
    """

    title: str
    lines: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...] = ()
    report: Path | None = None

    def html(self) -> str:
        """The card as a notebook shows it.

        Example:
            >>> "&lt;b&gt;" in Card("<b>").html()
            True
        """
        parts = (_table((), self.lines), _table(self.head, self.rows), _found(self.findings), _link(self.report))
        return render(element("div", element("b", self.title), *parts))


def metric_rows(evidence: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The main figures of every target: target, figure, ours with its interval, the plain model's."""
    for name, target in evidence["targets"].items():
        metrics, plain = target["metrics"], (target.get("baseline") or {}).get("metrics", {})
        for metric in [one for one in target.get("headline", metrics) if one in metrics][:_MOST_METRICS]:
            yield name, metric.replace("_", " "), metric_text(metrics[metric]), metric_text(plain.get(metric))


def metric_text(metric: Mapping[str, Any] | None) -> str:
    """A figure with its interval, "-" where there is none."""
    if metric is None or metric["value"] is None:
        return "-"
    if metric.get("low") is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Element:
    if not rows:
        return EMPTY
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    top = element("tr", *(element("th", word) for word in head)) if head else EMPTY
    return element("table", top, *body)


def _found(findings: Sequence[Finding]) -> Element:
    rows = [(f.severity, f.place, f.rule, f"{f.found}{name_rows(f.rows)}", f.remedy) for f in findings]
    return _table(("", "place", "rule", "found", "remedy"), rows)


def _link(report: Path | None) -> Element:
    if report is None or not report.exists():
        return EMPTY
    return element("a", str(report), href=report.resolve().as_uri(), target="_blank")
