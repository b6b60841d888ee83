"""Who listens to long work, and what is said."""

from polyclinic.training.progress import QUIET, Lines, listener


def test_a_function_is_given_a_line_for_every_piece():
    said: list[str] = []
    lines = listener(said.append)
    lines.start("folds", 2)
    lines.start("epochs", 3)
    lines.advance("loss 0.5")
    lines.finish()
    lines.advance()
    lines.finish()
    lines.advance("after the end")
    assert said == ["epochs: 1 of 3 loss 0.5", "folds: 1 of 2"]


def test_who_knows_how_to_listen_is_left_alone():
    assert listener(QUIET) is QUIET
    lines = Lines(print)
    assert listener(lines) is lines
