import polars as pl

from polyclinic.formats.columns.distinct_cells import DistinctCells


def test_cells_are_counted_by_what_they_are() -> None:
    cells = DistinctCells.of(pl.Series(["5 mg/L", "5 mg/L", "6", "-", "inf", "lost", None]))
    assert cells.unknown == {"-": 1}
    assert cells.infinite == {"inf": 1}
    assert cells.other == {"lost": 1}
    assert cells.numbers == {"5": 2, "6": 1}
    assert cells.unit == "mg/l"
    assert cells.known == 4
    assert cells.readable == 3


def test_an_unknown_word_is_a_unit_only_where_it_stands_beside_all() -> None:
    assert DistinctCells.of(pl.Series(["2a", "1", "3"])).unit == ""
    assert DistinctCells.of(pl.Series(["2 beats", "1 beats", "3 beats"])).unit == "beats"


def test_l_is_a_litre_unless_few_have_it_or_h_stands_elsewhere() -> None:
    assert DistinctCells.of(pl.Series(["2 L", "3 L"])).unit == "l"
    assert DistinctCells.of(pl.Series(["2 L", "3 H"])).unit == ""
