"""Which class is taken for which, as a table whose cells are as dark as their share."""

from collections.abc import Sequence

from polyclinic.delivery.blocks import note, table
from polyclinic.delivery.markup import Element, element, join
from polyclinic.delivery.numbers import count
from polyclinic.translations.phrase import Phrase


def confusion_matrix(counts: Sequence[Sequence[float]], classes: Sequence[str]) -> Element:
    """Rows by true class, columns by answer; the shares of a row add up to everyone of that class."""
    rows = [_row(name, position, counts[position]) for position, name in enumerate(classes)]
    head = [Phrase("Truth \N{DOWNWARDS ARROW}  Answer \N{RIGHTWARDS ARROW}"), *classes]
    words = note(Phrase("Test rows by true class (row) and most probable class (column); with shares of the row."))
    return join(element("h4", Phrase("Confusion matrix")), table(head, rows, "confusion"), words)


def _row(name: str, position: int, counts: Sequence[float]) -> list[Element]:
    whole = sum(counts) or 1
    cells = [_cell(n, n / whole, column == position) for column, n in enumerate(counts)]
    return [element("b", name), *cells]


def _cell(n: float, share: float, right: bool) -> Element:
    words = (element("b", count(n)), element("small", f"{100 * share:.0f}%"))
    return element("span", *words, class_="heat right" if right else "heat wrong", style=f"--share:{share:.3f}")
