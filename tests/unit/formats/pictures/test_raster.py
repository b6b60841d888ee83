"""PNG, JPEG and TIFF: what is read is what was written, and a doubtful file is refused."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from polyclinic.errors import ReadError
from polyclinic.formats.pictures import raster


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def encode(image, form="PNG", **keys):
    stream = io.BytesIO()
    image.save(stream, form, **keys)
    return stream.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, colour, raw):
    """A PNG written without Pillow: ``raw`` are the lines, each after its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def refusal(content):
    with pytest.raises(ReadError) as caught:
        raster.read(content)
    (finding,) = caught.value.findings
    return finding.name


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_8(rng, form):
    pixels = rng.integers(0, 256, (5, 7), dtype=np.uint8)
    frame = raster.read(encode(Image.fromarray(pixels), form))
    assert np.array_equal(frame.pixels[:, :, 0], pixels)
    assert (frame.low, frame.high) == (0, 255)
    assert (frame.facts.format, frame.facts.mode, frame.facts.bits) == (form, "L", 8)
    assert (frame.facts.width, frame.facts.height) == (7, 5)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_grey_16(rng, form):
    pixels = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    frame = raster.read(encode(Image.fromarray(pixels), form))
    assert frame.pixels.dtype == np.uint16
    assert np.array_equal(frame.pixels[:, :, 0], pixels)
    assert frame.high == 65535
    assert frame.facts.bits == 16


def test_colour_8(rng):
    pixels = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    for form in ("PNG", "TIFF"):
        assert np.array_equal(raster.read(encode(Image.fromarray(pixels), form)).pixels, pixels)


def test_colour_16_png_keeps_all_bits(rng):
    pixels = rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    raw = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    frame = raster.read(png(7, 5, 16, 2, raw))
    assert frame.pixels.dtype == np.uint16
    assert np.array_equal(frame.pixels, pixels)
    assert frame.facts.bits == 16


def test_colour_16_with_opacity(rng):
    pixels = rng.integers(0, 65536, (4, 3, 4), dtype=np.uint16)
    pixels[:, :, 3] = 65535
    pixels[0, 0] = (40000, 20000, 10000, 32767)
    raw = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    read = raster.read(png(3, 4, 16, 6, raw)).pixels
    assert np.array_equal(read[1:], pixels[1:, :, :3])
    assert read[0, 0].tolist() == [round(v * 32767 / 65535) for v in (40000, 20000, 10000)]


def tiff(pixels, order, photometric, bits=16, planar=1):
    """An uncompressed TIFF of one strip, written without Pillow."""
    height, width = pixels.shape[:2]
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    body = pixels.astype(f"{order}u2").tobytes()
    depth_at = 8 + len(body)
    depth = struct.pack(f"{order}{samples}H", *[bits] * samples)
    place = depth_at if samples > 2 else struct.unpack(f"{order}I", (depth + b"\0\0\0\0")[:4])[0]
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, samples, place),
        (259, 4, 1, 1),
        (262, 4, 1, photometric),
        (273, 4, 1, 8),
        (277, 4, 1, samples),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
        (284, 4, 1, planar),
    ]
    index = struct.pack(f"{order}H", len(entries))
    index += b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries) + struct.pack(f"{order}I", 0)
    start = depth_at + len(depth) + len(depth) % 2
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(f"{order}I", start) + body + depth + b"\0" * (len(depth) % 2) + index


@pytest.mark.parametrize("order", ["<", ">"])
def test_colour_16_tiff_keeps_all_bits(rng, order):
    pixels = rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    assert np.array_equal(raster.read(tiff(pixels, order, 2)).pixels, pixels)


def test_white_is_zero_16_is_turned_over(rng):
    pixels = rng.integers(0, 65536, (5, 7), dtype=np.uint16)
    assert np.array_equal(raster.read(tiff(pixels, "<", 0)).pixels[:, :, 0], 65535 - pixels)


def test_white_is_zero_8_is_turned_over():
    lines = np.array([[0, 255], [10, 20]], dtype=np.uint8)
    content = encode(Image.fromarray(lines), "TIFF", tiffinfo={262: 0})
    assert (255 - lines).tobytes() in content  # stored with white as zero
    assert np.array_equal(raster.read(content).pixels[:, :, 0], lines)


def test_one_bit_is_black_and_white():
    pixels = np.array([[True, False], [False, True]])
    frame = raster.read(encode(Image.fromarray(pixels)))
    assert frame.pixels[:, :, 0].tolist() == [[255, 0], [0, 255]]


def test_palette_becomes_colour(rng):
    pixels = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).quantize(8)
    frame = raster.read(encode(image))
    assert np.array_equal(frame.pixels, np.asarray(image.convert("RGB")))
    assert frame.facts.mode == "P"


def test_opacity_is_laid_over_black():
    pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [200, 100, 50, 51]]], dtype=np.uint8)
    assert raster.read(encode(Image.fromarray(pixels))).pixels.tolist() == [[[200, 100, 50], [0, 0, 0], [40, 20, 10]]]
    grey = np.array([[[200, 255], [200, 51]]], dtype=np.uint8)
    assert raster.read(encode(Image.fromarray(grey, "LA"))).pixels[:, :, 0].tolist() == [[200, 40]]


def test_transparent_colour_of_a_palette_is_black():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    assert raster.read(encode(image, transparency=0)).pixels.tolist() == [[[0, 0, 0], [200, 100, 50]]]


def test_jpeg_grey_colour_and_cmyk():
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (64, 1))
    grey = raster.read(encode(Image.fromarray(ramp), "JPEG", quality=95))
    assert grey.pixels.shape == (64, 64, 1)
    assert np.abs(grey.pixels[:, :, 0].astype(int) - ramp).max() < 8
    assert grey.facts.origin.startswith("quantisation ")
    colour = np.stack([ramp, ramp.T, ramp], axis=2)
    for mode in ("RGB", "CMYK"):
        read = raster.read(encode(Image.fromarray(colour).convert(mode), "JPEG", quality=95)).pixels
        assert np.abs(read.astype(int) - colour).mean() < 4


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_put_upright(form, orientation):
    upright = np.zeros((16, 32), dtype=np.uint8)
    upright[:8, :8] = 255  # upper left is white
    ways = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }
    exif = Image.Exif()
    exif[274] = orientation
    keys = {"tiffinfo": {274: orientation}} if form == "TIFF" else {"exif": exif}
    frame = raster.read(encode(Image.fromarray(np.ascontiguousarray(ways[orientation])), form, **keys))
    assert frame.pixels.shape == (16, 32, 1)
    assert np.abs(frame.pixels[:, :, 0].astype(int) - upright).max() < 60


def test_float_tiff(rng):
    pixels = rng.random((4, 4)).astype(np.float32)
    frame = raster.read(encode(Image.fromarray(pixels), "TIFF"))
    assert np.array_equal(frame.pixels[:, :, 0], pixels)
    pixels[1, 1] = np.nan
    assert refusal(encode(Image.fromarray(pixels), "TIFF")) == "not_finite"


def test_empty_file():
    assert refusal(b"") == "empty_file"


@pytest.mark.parametrize("content", [b"hello, I am no image", b"\x00" * 5000, b"%PDF-1.7 ...", b"GIF89a" + b"\0" * 50])
def test_another_format(content):
    assert refusal(content) == "unknown_image"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated(rng, form, share):
    content = encode(Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint8)), form)
    assert refusal(content[: int(len(content) * share)]) in ("damaged_image", "unknown_image")


def test_png_with_a_flipped_bit_is_damaged(rng):
    content = bytearray(encode(Image.fromarray(rng.integers(0, 256, (64, 64), dtype=np.uint8))))
    content[len(content) // 2] ^= 4
    assert refusal(bytes(content)) == "damaged_image"


def test_several_pages():
    pages = [Image.new("L", (4, 4), level) for level in (0, 200)]
    content = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert refusal(content) == "several_pages"
    assert refusal(encode(pages[0], "PNG", save_all=True, append_images=pages[1:])) == "several_pages"


@pytest.mark.parametrize("side", [9000, 30000, 2**31 - 1])
def test_decompression_bomb(side):
    lines = zlib.compress(b"\0" * 100)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    assert refusal(bomb) == "image_too_large"


def test_text_bomb():
    body = b"key\0\0" + zlib.compress(b"a" * 200_000_000)
    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0\1\2\0\3\4"))
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"zTXt", body) + pixels + chunk(b"IEND", b"")
    assert refusal(bomb) == "damaged_image"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_random_damage_never_escapes(form):
    """Whatever the bytes: an image or a finding, never another error."""
    rng = np.random.default_rng(3)
    whole = encode(Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)), form)
    for _ in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, len(content), size=rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        with contextlib.suppress(ReadError):
            frame = raster.read(bytes(content))
            assert frame.pixels.shape[2] in (1, 3)
