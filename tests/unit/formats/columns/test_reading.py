from polyclinic.formats.columns.reading import CellReading
from polyclinic.study.schema import CohortSection


def test_what_means_not_known_is_what_the_study_file_says_by_itself():
    section = CohortSection(table="a.csv", patient="id")
    assert CellReading().missing_values == section.missing_values
    assert CellReading().decimal is None
