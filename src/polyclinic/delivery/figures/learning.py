"""How the models learned: loss on training and tune rows, pass by pass."""

from collections.abc import Sequence

from polyclinic.delivery.figures.axes import Axes, axes, dot, drawing, frame, legend, limits, line
from polyclinic.delivery.markup import EMPTY, Element, join
from polyclinic.delivery.plan import FitRecord
from polyclinic.translations.phrase import Phrase


def learning_curve(fits: Sequence[FitRecord]) -> Element:
    """One pair of lines per fit; a dot marks the pass whose weights were kept."""
    losses = [loss for fit in fits for epoch in fit.history for loss in (epoch.train_loss, epoch.tune_loss)]
    last = max((len(fit.history) for fit in fits), default=1)
    ax = axes((1, max(last, 2)), limits(losses))
    css = "thin" if len(fits) > 1 else ""
    marks = (
        frame(ax, Phrase("Epoch"), Phrase("Loss")),
        *(_fit(ax, fit, css) for fit in fits),
        legend(ax.x.stop - 120, ax.y.stop + 12, [(Phrase("training rows"), "quiet"), (Phrase("tune rows"), "ours")]),
    )
    return drawing(ax, Phrase("Training curve"), *marks)


def _fit(ax: Axes, fit: FitRecord, css: str) -> Element:
    epochs = list(map(float, range(1, len(fit.history) + 1)))
    tune = [epoch.tune_loss for epoch in fit.history]
    return join(
        line(ax, epochs, [epoch.train_loss for epoch in fit.history], f"line quiet {css}"),
        line(ax, epochs, tune, f"line ours {css}"),
        dot(ax, fit.best, tune[fit.best - 1], "dot ours", 3.5) if 0 < fit.best <= len(tune) else EMPTY,
    )
