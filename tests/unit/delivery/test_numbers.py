import pytest

from polyclinic.delivery.markup import element, join, render
from polyclinic.delivery.numbers import count, interval, number, percent, signed, significant, stacked, with_interval
from polyclinic.evidence.records import Estimate


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [
        (0.96249, "auroc", "0.962"),
        (1.0, "auroc", "1.000"),
        (6.2149, "rmse", "6.21"),
        (1234.5, "rmse", "1234"),
        (0.0123, "rmse", "0.012"),
        (-0.03, "calibration_intercept", "−0.030"),
        (0.00001234, "mae", "1.2e−05"),
        (0.0, "mae", "0"),
        (0.25, "a metric of somebody else's", "0.250"),
        (None, "auroc", "–"),
    ],
)
def test_numbers_have_the_digits_a_reader_can_use(value: float | None, metric: str, shown: str) -> None:
    assert number(value, metric) == shown


def test_an_interval_stands_with_its_value_or_not_at_all() -> None:
    assert with_interval(Estimate(value=0.9, low=0.8, high=0.95), "auroc") == "0.900 (0.800 to 0.950)"
    assert with_interval(Estimate(value=0.9), "auroc") == "0.900"
    assert with_interval(Estimate(low=0.8, high=0.95), "auroc") == "–"
    assert with_interval(None) == "–"
    assert interval(Estimate(value=0.9, low=0.8)) == ""
    assert render(stacked(Estimate(value=0.9))) == "<b>0.900</b>"


def test_differences_have_a_sign() -> None:
    assert [signed(value, "auroc") for value in (0.01, -0.01, 0.0, None)] == ["+0.010", "−0.010", "0.000", "–"]


def test_counts_and_shares() -> None:
    assert [count(value) for value in (1904.0, 62.4, None)] == ["1,904", "62.4", "–"]
    assert [percent(value) for value in (0.3741, None)] == ["37.4%", "–"]
    assert significant(62.25) == "62.2"


def test_markup_escapes_all_but_markup() -> None:
    inner = element("b", "<&>'\"")
    assert render(inner) == "<b>&lt;&amp;&gt;&#x27;&quot;</b>"
    assert render(element("p", inner, None, 3, title='a"b', class_="x", hidden=True, lang=None)) == (
        '<p title="a&quot;b" class="x" hidden><b>&lt;&amp;&gt;&#x27;&quot;</b>3</p>'
    )
    assert render(join("a", inner)) == "a<b>&lt;&amp;&gt;&#x27;&quot;</b>"
    assert [bool(one) for one in (join(), join(None, ""), join(inner), element("p"))] == [False, False, True, True]
