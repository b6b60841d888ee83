"""How the models learned: loss on training and tune rows, pass by pass."""

from collections.abc import Sequence

from polyclinic.delivery.figures.axes import Axes, axes, dot, drawing, frame, key, limits, line
from polyclinic.delivery.markup import Html, join
from polyclinic.delivery.material import FitHistory
from polyclinic.delivery.words import Words


def learning_curve(histories: Sequence[FitHistory], say: Words) -> Html:
    """One pair of lines per fit; a dot marks the pass whose weights were kept."""
    losses = [loss for fit in histories for epoch in fit.epochs for loss in (epoch.train, epoch.tune)]
    last = max((epoch.number for fit in histories for epoch in fit.epochs), default=1)
    ax = axes((1, max(last, 2)), limits(losses))
    css = "thin" if len(histories) > 1 else ""
    marks = (
        frame(ax, say("Epoch"), say("Loss")),
        *(_fit(ax, fit, css) for fit in histories),
        key(ax.x.stop - 120, ax.y.stop + 12, say("training rows"), "quiet"),
        key(ax.x.stop - 120, ax.y.stop + 30, say("tune rows"), "ours"),
    )
    return drawing(ax, say("Training curve"), *marks)


def _fit(ax: Axes, fit: FitHistory, css: str) -> Html:
    numbers = [float(epoch.number) for epoch in fit.epochs]
    kept = [epoch for epoch in fit.epochs if epoch.number == fit.best and epoch.tune is not None]
    return join(
        line(ax, numbers, [epoch.train for epoch in fit.epochs], f"line quiet {css}"),
        line(ax, numbers, [epoch.tune for epoch in fit.epochs], f"line ours {css}"),
        *(dot(ax, epoch.number, epoch.tune, "dot ours", 3.5) for epoch in kept if epoch.tune is not None),
    )
