"""One image of any format on offer, recognised by its content. No torch."""

from pathlib import Path

from polyclinic.formats.base import STARTS_WITH
from polyclinic.formats.images.base import Window, image_formats
from polyclinic.formats.pictures.frame import MOST_BYTES, Frame, refuse, unknown_image
from polyclinic.formats.read_scan import readable


def read_image(path: Path, window: Window = "file") -> Frame:
    """The image in a file.

    Args:
        path: The file.
        window: What becomes black and white where pixels are measurements.

    Raises:
        ReadError: no such file, an empty, damaged or absurdly large one, or one of another format.
        MissingPackage: if a package that reads its format is not installed.
    """
    with readable(refuse):
        content = _content(path)
    if not content:
        raise refuse("empty_file", "an image file must have content", "the file is empty", "Export it again.")
    known = next((known for known in image_formats() if known.recognises(path, content[:STARTS_WITH])), None)
    if known is None:
        raise unknown_image()
    return known.read(content, window)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        rule = f"an image file may have at most {MOST_BYTES // 1024**2} MiB"
        raise refuse("file_too_large", rule, "a file is larger", "Crop or shrink the image.")
    return path.read_bytes()
