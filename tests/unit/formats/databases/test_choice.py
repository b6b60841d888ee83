import pytest

from polyclinic.errors import CohortError
from polyclinic.formats.databases.choice import chosen_table, failed_query, one_select


def test_the_only_table_or_the_named_one_is_chosen():
    assert chosen_table(["a"], None, "x.db") == "a"
    assert chosen_table(["a", "b"], "b", "x.db") == "b"


@pytest.mark.parametrize(
    ("tables", "part", "words"),
    [
        (["a", "b"], None, "2 tables (a, b)"),
        (["a", "b"], "c", 'no table "c"'),
        ([], None, "0 tables (none)"),
    ],
)
def test_an_open_question_lists_the_tables(tables, part, words):
    with pytest.raises(CohortError) as refused:
        chosen_table(tables, part, "x.db")
    assert words in str(refused.value)


def test_the_remedy_writes_out_every_table():
    with pytest.raises(CohortError, match=r'its name: "x\.db#a" or "x\.db#b"'):
        chosen_table(["a", "b"], None, "x.db")


@pytest.mark.parametrize(
    "query",
    ["select * from a", " SELECT 'drop; -- it' AS x FROM a; ", 'with t as (select 1) select "update" from t -- insert'],
)
def test_a_select_passes(query):
    assert one_select(query, None) == query.strip().rstrip(";")


@pytest.mark.parametrize(
    "query",
    [
        "delete from a",
        "select 1; drop table a",
        "with t as (delete from a returning *) select * from t",
        "select * into b from a",
        "pragma query_only = off",
        "",
    ],
)
def test_what_could_change_something_is_refused(query):
    with pytest.raises(CohortError, match="must be one SELECT"):
        one_select(query, None)


def test_a_table_and_a_query_are_one_too_many():
    with pytest.raises(CohortError, match="both are there"):
        one_select("select 1", "a")


def test_a_failed_query_names_the_key():
    assert "[cohort] query" in str(failed_query())
