from polyclinic.formats.unreadable import unreadable


def test_it_says_place_rule_finding_and_remedy():
    assert str(unreadable("a.xls", "must be whole", "it is not", "Save it again.")) == (
        "a.xls: must be whole; it is not. Save it again."
    )
