"""Sentences on how pictures and scans were prepared."""

from polyclinic.records import preparation_notes as preparation


def test_pictures_are_told_as_a_whole_or_in_parts():
    assert preparation.whole_pictures(1, (32, 48)) == "Images were brought to 32 x 48 pixels in grey, their shape kept."
    parts = preparation.parts_of_pictures(3, 0.5, (64, 64))
    assert "in colour, 0.5 times as large" in parts
    assert "64 x 64 pixels" in parts


def test_scans_are_told_with_their_spacing():
    first, second = preparation.scans((1.0, 1.5, 2.0), True, (96, 96, 64), True)
    assert first == "Volumes were brought to 1 x 1.5 x 2 mm, upright (RAS+)."
    assert second == "The network sees 96 x 96 x 64 points at once, in overlapping windows."
    assert next(preparation.scans(None, False, (8, 8, 8), False)) == "Volumes were brought to their own spacing."


def test_what_was_changed_while_training_is_told():
    assert "flips: none; rotations by quarters: quarter" in preparation.changed_pictures(0.1, 0.2, 5, "none", "quarter")
    assert preparation.changed_scans(0.06, 0.15, 15, ()).endswith("mirrored: no.")
    assert preparation.changed_scans(0.06, 0.15, 15, ("right", "head")).endswith("mirrored: right, head.")
