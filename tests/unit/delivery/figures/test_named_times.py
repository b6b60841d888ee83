"""The table of predicted and observed survival."""

from polyclinic.delivery.figures.named_times import named_times
from polyclinic.delivery.markup import EMPTY, render
from polyclinic.evidence.named_times import SurvivalAt, as_shape
from polyclinic.evidence.records import Estimate, TargetEvidence

SEEN = SurvivalAt(
    "3 years", 1095.75, 0.612, Estimate(0.634, 0.55, 0.71), 87, Estimate(0.741, 0.7, 0.78), Estimate(0.19, 0.17, 0.21)
)
BEYOND = SurvivalAt("5 years", 1826.25, None, Estimate(), 0, Estimate(), Estimate())


def drawn(*found: SurvivalAt) -> str:
    return render(named_times(TargetEvidence("survival", curves=as_shape(found))))


def test_every_figure_stands_in_its_row():
    row = drawn(SEEN).split("<tbody>")[1]
    cells = [cell.split("</td>")[0] for cell in row.split("<td")[1:]]
    for cell, words in zip(cells, ("3 years", "0.612", "0.634", "87", "0.741", "0.190"), strict=True):
        assert words in cell
    assert "0.550" in cells[2]
    assert "left open" not in drawn(SEEN)


def test_what_nobody_was_followed_to_is_left_open():
    page = drawn(SEEN, BEYOND)
    assert "5 years" in page
    assert "left open" in page


def test_nothing_where_no_time_is_named():
    assert named_times(TargetEvidence("survival")) == EMPTY
