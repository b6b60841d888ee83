"""Above everything else: that this is research, which program made it, and from which patients of which time."""

from polyclinic.cohort.document import CohortDocument
from polyclinic.delivery.markup import Element, element
from polyclinic.delivery.material import RunFacts
from polyclinic.delivery.numbers import count
from polyclinic.translations.phrase import Phrase, joined

RESEARCH_ONLY = Phrase("Research only: not a medical device.")
_MONTHS = (
    *(Phrase("January"), Phrase("February"), Phrase("March"), Phrase("April"), Phrase("May"), Phrase("June")),
    *(Phrase("July"), Phrase("August"), Phrase("September"), Phrase("October"), Phrase("November"), Phrase("December")),
)


def masthead(cohort: CohortDocument, run: RunFacts) -> Element:
    """A banner in plain words, and where the page comes from."""
    banner = element("strong", RESEARCH_ONLY, class_="banner")
    return element("p", banner, " ", element("span", joined(*origins(cohort, run), by=_DOT)), class_="masthead")


def origins(cohort: CohortDocument, run: RunFacts) -> list[str]:
    """Program with its version, time of the data, number of sites, and the day, as far as they are known."""
    known = (
        f"Polyclinic {run.versions.get('polyclinic', '')}".strip(),
        Phrase("data of {period}", period=period) if (period := data_period(cohort)) else "",
        _sites(cohort.sites),
        Phrase("made on {day}", day=run.day) if run.day else Phrase("day of the run: see log.jsonl"),
    )
    return [words for words in known if words]


def data_period(cohort: CohortDocument) -> str:
    """From the first to the last month of the data; "" where the table has no dates."""
    if not cohort.period:
        return ""
    first, last = cohort.period[0], cohort.period[-1]
    if first == last:
        return _month(first)
    return Phrase("{first} to {last}", first=_month(first), last=_month(last))


def _month(written: str) -> str:
    """A month such as "2019-03" in words."""
    year, _, month = written.rpartition("-")
    return Phrase("{month} {year}", month=_MONTHS[int(month) - 1], year=year)


def _sites(number: int | None) -> str:
    if not number:
        return ""
    return Phrase("1 site") if number == 1 else Phrase("{n} sites", n=count(number))


_DOT = " \N{MIDDLE DOT} "
