"""How pictures and scans were prepared and changed while training, in sentences for report and card. No torch."""

from collections.abc import Iterator, Sequence

from polyclinic.translations.phrase import Phrase

STANDARDISED = Phrase("Intensities were centred and scaled by the mean and standard deviation of the training images.")
MIRRORED = Phrase("Regions were also asked about in mirrored windows, and the answers averaged.")


def whole_pictures(channels: int, extent: tuple[int, int]) -> Phrase:
    """Pictures that were looked at as a whole."""
    height, width = extent
    return Phrase(
        "Images were brought to {height} x {width} pixels in {colour}, their shape kept.",
        height=height,
        width=width,
        colour=_colour(channels),
    )


def parts_of_pictures(channels: int, scale: float, patch: tuple[int, int]) -> Phrase:
    """Pictures that were looked at part by part."""
    return Phrase(
        "Images were looked at in {colour}, {scale:g} times as large as in the file, in parts of {height} x {width} "
        "pixels that overlap by half.",
        colour=_colour(channels),
        scale=scale,
        height=patch[0],
        width=patch[1],
    )


def changed_pictures(shift: float, zoom: float, tilt: float, flips: str, rotations: str) -> Phrase:
    """What was changed at random; ``flips`` and ``rotations`` are the words of the study file."""
    return Phrase(
        "While training, images were shifted up to {shift:.0%}, zoomed up to {zoom:.0%}, tilted up to {tilt:g} "
        "degrees; flips: {flips}; rotations by quarters: {rotations}.",
        shift=shift,
        zoom=zoom,
        tilt=tilt,
        flips=Phrase(flips),
        rotations=Phrase(rotations),
    )


def scans(spacing: Sequence[float] | None, upright: bool, extent: Sequence[int], dense: bool) -> Iterator[Phrase]:
    """The grid of scans, and how much of it is seen at once."""
    step = Phrase("their own spacing") if spacing is None else f"{_times(spacing)} mm"
    turned = Phrase("Volumes were brought to {step}, upright (RAS+).", step=step)
    yield turned if upright else Phrase("Volumes were brought to {step}.", step=step)
    parts = Phrase("The network sees {extent} points at once, in overlapping windows.", extent=_times(extent))
    yield parts if dense else Phrase("The network sees {extent} points of each volume.", extent=_times(extent))


def changed_scans(shift: float, zoom: float, tilt: float, flips: Sequence[str]) -> Phrase:
    """What was changed at random; ``flips`` are the axes of the study file."""
    axes = ", ".join(flips)
    return Phrase(
        "While training, volumes were shifted up to {shift:.0%}, zoomed up to {zoom:.0%}, tilted up to {tilt:g} "
        "degrees about each axis; mirrored: {axes}.",
        shift=shift,
        zoom=zoom,
        tilt=tilt,
        axes=axes or Phrase("no"),
    )


def _colour(channels: int) -> Phrase:
    return Phrase("grey" if channels == 1 else "colour")


def _times(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)
