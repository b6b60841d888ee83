"""Cards of notebooks: nothing that a user wrote can break out of them."""

from html.parser import HTMLParser

from polyclinic.delivery.notebook import Card, metric_rows, metric_text
from polyclinic.errors import Finding, Severity

NASTY = "<script>alert('x')</script>\" onmouseover=\"x"


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


def test_whatever_a_user_wrote_is_text(tmp_path):
    report = tmp_path / "a'b\"c.html"
    report.write_text("", encoding="utf-8")
    finding = Finding(NASTY, NASTY, NASTY, NASTY, NASTY, Severity.WARNING, (3, 4))
    seen = Seen()
    seen.feed(Card(NASTY, ((NASTY, NASTY),), (NASTY,), ((NASTY,),), (finding,), report).html())
    assert set(seen.tags) == {"div", "b", "table", "tr", "td", "th", "a"}
    assert set(seen.attributes) == {"href", "target"}


def test_a_finding_shows_place_rule_finding_remedy_and_rows():
    card = Card("x", findings=(Finding("n", "the place", "the rule", "the finding", "the remedy", rows=(3, 4)),)).html()
    for words in ("error", "the place", "the rule", "the finding (rows 3, 4)", "the remedy"):
        assert f"<td>{words}</td>" in card


def test_a_report_that_is_not_there_is_not_linked(tmp_path):
    assert "<a" not in Card("x", report=tmp_path / "none.html").html()


def test_figures_with_intervals_beside_the_plain_model():
    auroc = {"value": 0.81234, "low": 0.7, "high": 0.9}
    target = {"metrics": {"auroc": auroc, "brier_score": {"value": 0.1}}, "headline": ["auroc"], "baseline": None}
    assert list(metric_rows({"targets": {"sick": target}})) == [("sick", "auroc", "0.812 (0.700 to 0.900)", "-")]
    assert metric_text({"value": 0.1}) == "0.100"
    assert metric_text({"value": None}) == "-"
