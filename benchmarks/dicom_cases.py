"""Scans that other readers get wrong: ours beside SimpleITK and highdicom; the last line counts what is silently wrong.

    POLYCLINIC_DATA=... python benchmarks/dicom_cases.py

Cases made here have a known truth: values and affine, or "this must be refused". The files of pydicom-data have none:
ours must agree with SimpleITK; in the few that SimpleITK cannot read or reads wrongly (``KNOWN``), with highdicom or
pydicom. To refuse what can be known counts as wrong, too.
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import highdicom
import numpy as np
import pydicom
import SimpleITK
from dicom_series import COLUMNS, ORIGIN, RAS, ROWS, SLICES, Truth, enhanced, oblique, series, truth_of, write
from jaxtyping import Bool, Float
from measure import OURS, Asked, Figure, main, remark
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from polyclinic.errors import ReadError
from polyclinic.formats.dicom import segmentation
from polyclinic.formats.images.dicom import Dicom
from polyclinic.formats.pictures.frame import Frame
from polyclinic.formats.read_scan import read_scan
from polyclinic.formats.voxels.voxel_grid import Mask

Pixels = Float[np.ndarray, "row column channel"]
Inside = Bool[np.ndarray, "row column 1"]
KNOWN = {
    "JLSL_08_07_0_1F.dcm": "7 bits: SimpleITK cannot decode them",
    "mlut_18.dcm": "SimpleITK leaves the modality table out",
    "eCT_Supplemental.dcm": "SimpleITK takes frames in the order of the file, against their positions",
}
"""Where SimpleITK is no second opinion, and why; pydicom or highdicom must agree there."""


# Cases -------------------------------------------------------------------------------------------------------------
Case = Callable[[Path], tuple[Path, Truth | str]]
"""Writes files, returns their path and what must come of them: a truth, or names of findings parted by ``|``."""
CASES: dict[str, Case] = {}


def case(make: Case) -> Case:
    """Registers a case under its name in words."""
    CASES[make.__name__.replace("_", " ")] = make
    return make


@case
def plain_series(folder: Path) -> tuple[Path, Truth | str]:
    return write(folder, series()), truth_of()


@case
def shuffled_instance_numbers(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one, number in zip(slices, [3, 7, 1, 8, 2, 6, 4, 5], strict=True):
        one.InstanceNumber = number
    return write(folder, slices), truth_of()


@case
def absent_instance_numbers(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices:
        del one.InstanceNumber
    return write(folder, slices), truth_of()


@case
def cut_in_the_middle(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    return write(folder, slices[:3] + slices[5:]), "missing_slices"


@case
def one_slice_missing(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    return write(folder, slices[:4] + slices[5:]), "missing_slices"


@case
def uneven_spacing(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    slices[-1].ImagePositionPatient[2] += 0.9
    return write(folder, slices), "uneven_spacing"


@case
def positions_rounded_to_a_tenth(folder: Path) -> tuple[Path, Truth | str]:
    step = np.array([0, 0, 0.625])
    slices = series(step=step)
    for one in slices:
        one.ImagePositionPatient[2] = round(float(one.ImagePositionPatient[2]), 1)
    truth = truth_of(step=np.array([0, 0, 4.4 / 7]))
    return write(folder, slices), truth


@case
def identical_copy_of_a_slice(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    return write(folder, [*slices, slices[3]]), truth_of()


@case
def contradictory_copy_of_a_slice(folder: Path) -> tuple[Path, Truth | str]:
    slices, other = series(), series()
    other[3].PixelData = other[4].PixelData
    return write(folder, [*slices, other[3]]), "contradictory_copies"


@case
def two_series(folder: Path) -> tuple[Path, Truth | str]:
    slices, other = series(), series(seed=2)
    for number, one in enumerate(other):
        one.SeriesInstanceUID = "1.2.3.99"
        one.ImagePositionPatient[2] = float(ORIGIN[2]) + 2.5 * number + 1.25
    return write(folder, slices + other), "mixed_series"


@case
def two_times_in_one_series(folder: Path) -> tuple[Path, Truth | str]:
    return write(folder, series() + series(seed=2)), "repeated_positions"


@case
def scout_among_slices(folder: Path) -> tuple[Path, Truth | str]:
    slices, scout = series(), series(orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0), seed=3)[0]
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    return write(folder, [*slices, scout]), "mixed_images|mixed_orientations"


@case
def slices_of_two_sizes(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    slices[2].Rows, slices[2].PixelData = ROWS - 2, slices[2].PixelData[: 2 * COLUMNS * (ROWS - 2)]
    return write(folder, slices), "mixed_images"


@case
def without_positions(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices:
        del one.ImagePositionPatient
    return write(folder, slices), "no_positions"


@case
def rescale_of_each_slice(folder: Path) -> tuple[Path, Truth | str]:
    slices = series(modality="MR")
    for number, one in enumerate(slices):
        one.Modality, one.Units = "PT", "BQML"
        one.RescaleSlope, one.RescaleIntercept = 0.5 + number / 8, 0
    truth = truth_of(offset=0)
    return write(folder, slices), Truth(truth.values * (0.5 + np.arange(SLICES) / 8), truth.affine)


@case
def signedness_differs_between_slices(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices[::2]:
        one.PixelRepresentation, one.BitsStored, one.HighBit = 1, 16, 15
        one.PixelData = (np.frombuffer(one.PixelData, np.uint16).astype(np.int16) - 1024).tobytes()
        one["PixelData"].VR, one.RescaleIntercept = "OW", 0
    return write(folder, slices), truth_of()


@case
def signed_numbers(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices:
        one.PixelRepresentation, one.BitsStored, one.HighBit, one.RescaleIntercept = 1, 16, 15, 0
        one.PixelData = (np.frombuffer(one.PixelData, np.uint16).astype(np.int16) - 1024).tobytes()
        one["PixelData"].VR = "OW"
    return write(folder, slices), truth_of()


@case
def monochrome1_without_unit(folder: Path) -> tuple[Path, Truth | str]:
    slices = series(modality="MR")
    for one in slices:
        one.PhotometricInterpretation = "MONOCHROME1"
    truth = truth_of(offset=0)
    return write(folder, slices), Truth(4095 - truth.values, truth.affine)


@case
def monochrome1_in_hounsfield_units(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices:
        one.PhotometricInterpretation = "MONOCHROME1"
    return write(folder, slices), truth_of()


@case
def oblique_slices(folder: Path) -> tuple[Path, Truth | str]:
    return write(folder, series(oblique())), truth_of(oblique())


@case
def feet_first_order(folder: Path) -> tuple[Path, Truth | str]:
    slices = series(step=np.array([0, 0, -2.5]))
    truth = truth_of(step=np.array([0, 0, 2.5]))
    truth.affine[:3, 3] += [0, 0, -2.5 * (SLICES - 1)]
    return write(folder, slices), Truth(truth.values[:, :, ::-1], truth.affine)


@case
def gantry_tilt(folder: Path) -> tuple[Path, Truth | str]:
    lean = (1.0, 0.0, 0.0, 0.0, float(np.cos(0.3)), float(-np.sin(0.3)))
    step = np.array([0.0, 0.0, 2.5])
    return write(folder, series(lean, step)), truth_of(lean, step)


@case
def padding_outside_the_field(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    for one in slices:
        pixels = np.frombuffer(one.PixelData, np.uint16).reshape(ROWS, COLUMNS).copy()
        pixels[:3] = 4000
        one.PixelData, one.PixelPaddingValue = pixels.tobytes(), 4000
        one["PixelData"].VR = "OW"
    truth = truth_of()
    truth.values[:, :3] = -1024
    return write(folder, slices), truth


@case
def enhanced_with_rescale_in_groups(folder: Path) -> tuple[Path, Truth | str]:
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    slopes = [1 + number / 4 for number in range(SLICES)]
    write(folder, [enhanced(series(), order, slopes)])
    truth = truth_of(offset=0)
    factors = np.array([slopes[order.index(number)] for number in range(SLICES)])
    return next(folder.iterdir()), Truth(truth.values * factors - 1024, truth.affine)


@case
def enhanced_in_a_folder(folder: Path) -> tuple[Path, Truth | str]:
    return write(folder, [enhanced(series(oblique()), list(range(SLICES)))]), truth_of(oblique())


@case
def enhanced_with_a_gap(folder: Path) -> tuple[Path, Truth | str]:
    write(folder, [enhanced(series(), [0, 1, 2, 5, 6, 7])])
    return next(folder.iterdir()), "missing_slices"


@case
def enhanced_of_two_times(folder: Path) -> tuple[Path, Truth | str]:
    write(folder, [enhanced(series(), [0, 1, 2, 3, 0, 1, 2, 3])])
    return next(folder.iterdir()), "repeated_positions"


@case
def file_cut_off(folder: Path) -> tuple[Path, Truth | str]:
    write(folder, series())
    path = sorted(folder.iterdir())[2]
    path.write_bytes(path.read_bytes()[:-100])
    return folder, "damaged_image|doubtful_pixels"


@case
def a_slice_without_pixels(folder: Path) -> tuple[Path, Truth | str]:
    slices = series()
    del slices[2].PixelData
    return write(folder, slices), "no_pixels"


def _compressed(name: str, syntax: Any) -> None:
    def make(folder: Path) -> tuple[Path, Truth | str]:
        return write(folder, series(), syntax), truth_of()

    CASES[name] = make


for _name, _syntax in (
    ("RLE", RLELossless),
    ("JPEG-LS", JPEGLSLossless),
    ("JPEG 2000", JPEG2000Lossless),
    ("big endian", ExplicitVRBigEndian),
    ("implicit types", ImplicitVRLittleEndian),
):
    _compressed(_name, _syntax)


# Judges ------------------------------------------------------------------------------------------------------------
def ours(path: Path) -> Truth | str:
    """What we make of it: a volume, or the names of the findings."""
    try:
        volume = read_scan(path)
    except ReadError as error:
        return "|".join(sorted({finding.name for finding in error.findings}))
    assert volume.affine is not None
    return Truth(volume.values.astype(float), volume.affine)


def by_simpleitk(path: Path) -> Truth | str:
    """What SimpleITK makes of it."""
    try:
        if path.is_dir():
            found = SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(path))  # type: ignore[no-untyped-call]
            names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), found[0])  # type: ignore[no-untyped-call]
            image = SimpleITK.ReadImage(names) if len(names) > 1 else SimpleITK.ReadImage(names[0])
            if len(found) > 1:
                return f"lists {len(found)} series"
        else:
            image = SimpleITK.ReadImage(str(path))
    except Exception as error:
        return f"raises {type(error).__name__}"
    return of_simpleitk(image)


def of_simpleitk(image: Any) -> Truth:
    """Array axes and directions as ours are."""
    values = SimpleITK.GetArrayFromImage(image).astype(float)
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return Truth(values.transpose(*reversed(range(3)), *range(3, values.ndim)), RAS @ affine)


def by_highdicom(path: Path) -> Truth | str:
    """What highdicom makes of it."""
    try:
        if path.is_dir():
            slices = [pydicom.dcmread(one) for one in sorted(path.iterdir())]
            if len(slices) == 1:
                volume = highdicom.imread(next(path.iterdir())).get_volume(apply_presentation_lut=False)
            else:
                volume = highdicom.get_volume_from_series(slices, apply_presentation_lut=False)
        else:
            volume = highdicom.imread(path).get_volume(apply_presentation_lut=False)
    except Exception as error:
        return f"raises {type(error).__name__}"
    # highdicom's axes are slice, row, column, with slices against the normal
    values, affine = volume.array.astype(float).transpose(2, 1, 0), RAS @ volume.affine[:, [2, 1, 0, 3]]
    if np.linalg.det(affine[:3, :3]) < 0:
        affine[:3, 3] += affine[:3, 2] * (values.shape[2] - 1)
        affine[:3, 2] *= -1
        values = values[:, :, ::-1]
    return Truth(values, affine)


def verdict(found: Truth | str, truth: Truth | str) -> str:
    """Words for one reader's outcome."""
    if isinstance(found, str):
        return f"refused: {found}"
    if isinstance(truth, str):
        return "WRONG (a volume where none can be known)"
    if found.values.shape != truth.values.shape:
        return "WRONG shape"
    wrong = [] if np.allclose(found.values, truth.values, atol=1e-3) else ["values"]
    wrong += [] if np.allclose(found.affine, truth.affine, atol=2e-3) else ["geometry"]
    return f"WRONG {' and '.join(wrong)}" if wrong else "right"


def is_silent(found: Truth | str, truth: Truth | str) -> bool:
    """Whether a reader gave something wrong without a word, or refused for another reason than the true one."""
    if isinstance(found, Truth):
        return verdict(found, truth) != "right"
    return False


def run_cases(root: Path) -> Iterator[tuple[str, list[tuple[str, bool]]]]:
    """Of each case the verdict on every reader, and whether it was silently wrong; ours must not refuse either."""
    for name, make in CASES.items():
        path, truth = make(root / name.replace(" ", "-"))
        found = [ours(path), by_simpleitk(path), by_highdicom(path)]
        silent = [is_silent(one, truth) for one in found]
        silent[0] |= isinstance(found[0], str) and not _expected(found[0], truth)
        yield name, [(verdict(one, truth), wrong) for one, wrong in zip(found, silent, strict=True)]


def _expected(found: str, truth: Truth | str) -> bool:
    return isinstance(truth, str) and bool(set(found.split("|")) & set(truth.split("|")))


# Files of pydicom-data -----------------------------------------------------------------------------------------------
def compare_file(path: Path) -> tuple[str, str, bool]:
    """Ours, the second opinion, and whether ours is silently wrong."""
    content = path.read_bytes()
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
    except Exception:
        return _refusal(lambda: Dicom().read(content)), "-", False
    if str(header.get("SOPClassUID", "")).endswith("66.4"):
        return _segmentation(path, content)
    if int(header.get("NumberOfFrames") or 1) > 1:
        return _multiframe(path)
    return _image(path, content)


def _refusal(read: Callable[[], object]) -> str:
    try:
        read()
    except ReadError as error:
        return f"refused: {'|'.join(sorted({finding.name for finding in error.findings}))}"
    return "read"


def _segmentation(path: Path, content: bytes) -> tuple[str, str, bool]:
    try:
        mask = segmentation.read(content)
    except ReadError as error:
        return f"refused: {error.findings[0].name}", "-", False
    try:
        theirs = highdicom.seg.segread(path).get_volume(combine_segments=False)
    except ValueError:  # highdicom reads little endian only
        return _segmentation_by_hand(path, mask)
    values, affine = theirs.array.transpose(3, 2, 1, 0), RAS @ theirs.affine[:, [2, 1, 0, 3]]
    if np.linalg.det(affine[:3, :3]) < 0:
        affine[:3, 3] += affine[:3, 2] * (values.shape[3] - 1)
        affine[:3, 2] *= -1
        values = values[:, :, :, ::-1]
    assert mask.affine is not None
    same = np.array_equal(mask.labels, values) and np.allclose(mask.affine, affine, atol=1e-3)
    return ("right" if same else "WRONG"), f"highdicom {'same' if same else 'differs'}", not same


def _segmentation_by_hand(path: Path, mask: Mask) -> tuple[str, str, bool]:
    """Frames of a file of one segment, in the order of their height, which is enough for straight slices."""
    dataset = pydicom.dcmread(path)
    places = [
        float(one.PlanePositionSequence[0].ImagePositionPatient[2]) for one in dataset.PerFrameFunctionalGroupsSequence
    ]
    frames = dataset.pixel_array[np.argsort(places)]
    same = (
        np.array_equal(mask.labels[0], frames.transpose(2, 1, 0))
        and mask.affine is not None
        and mask.affine[2, 3] == min(places)
    )
    return ("right" if same else "WRONG"), f"pydicom {'same' if same else 'differs'}", not same


def _multiframe(path: Path) -> tuple[str, str, bool]:
    mine = ours(path)
    if isinstance(mine, str):
        return f"refused: {mine}", "-", False
    judges = {"SimpleITK": verdict(mine, by_simpleitk(path)), "highdicom": verdict(mine, by_highdicom(path))}
    right = judges["SimpleITK"] == "right" or (path.name in KNOWN and judges["highdicom"] == "right")
    words = ", ".join(f"{name} {'same' if word == 'right' else 'differs'}" for name, word in judges.items())
    return ("right" if right else "WRONG"), words, not right


def _image(path: Path, content: bytes) -> tuple[str, str, bool]:
    try:
        frame = Dicom().read(content, "none")
    except ReadError as error:
        return f"refused: {error.findings[0].name}", "-", False
    mine, inside = frame.pixels.astype(float), _inside(path)
    opinions: dict[str, Pixels | None] = {}
    try:
        theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).astype(float)
        opinions["SimpleITK"] = theirs.reshape(mine.shape) if theirs.size == mine.size else theirs
    except Exception:
        opinions["SimpleITK"] = None
    opinions["pydicom"] = _by_pydicom(path)
    words = {name: _compare(mine, theirs, frame, inside) for name, theirs in opinions.items()}
    right = words["SimpleITK"] == "same" or (path.name in KNOWN and words["pydicom"] == "same")
    return ("right" if right else "WRONG"), ", ".join(f"{name} {word}" for name, word in words.items()), not right


def _by_pydicom(path: Path) -> Pixels | None:
    dataset = pydicom.dcmread(path)
    try:
        pixels = dataset.pixel_array
        if dataset.PhotometricInterpretation == "PALETTE COLOR":
            pixels = apply_color_lut(pixels, dataset)
        elif dataset.PhotometricInterpretation.startswith("MONO"):
            pixels = apply_modality_lut(pixels, dataset)[:, :, None]
    except Exception:
        return None
    return pixels.astype(float)


def _inside(path: Path) -> Inside:
    """Pixels within the field of view: ours makes the others black, others leave them."""
    dataset = pydicom.dcmread(path)
    if "PixelPaddingValue" not in dataset or dataset.SamplesPerPixel != 1:
        return np.ones((dataset.Rows, dataset.Columns, 1), dtype=bool)
    inside: Inside = (dataset.pixel_array != dataset.PixelPaddingValue)[:, :, None]
    return inside


def _compare(mine: Pixels, theirs: Pixels | None, frame: Frame, inside: Inside) -> str:
    """The same values, upright or as MONOCHROME1 shows them, but for padding and the depth of palettes."""
    if theirs is None:
        return "cannot"
    if theirs.shape != mine.shape:
        return f"differs in shape {theirs.shape}"
    inverted = min(frame.low, frame.high) + max(frame.low, frame.high) - mine
    same = [mine, inverted] if frame.low > frame.high else [mine, mine * 65537, mine * 257, mine / 256]
    for one in same:
        if np.abs((one - theirs) * inside).max() <= 1e-6 * max(1.0, float(np.abs(one).max())):
            return "same"
    return f"differs by up to {float(np.abs((mine - theirs) * inside).max()):g}"


def figures(asked: Asked) -> Iterator[Figure]:
    """How many cases each reader gets wrong without a word, and how many files ours does."""
    wrong = dict.fromkeys((OURS, "SimpleITK", "highdicom"), 0)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        remark(f"{'case':36} | {'ours':44} | {'SimpleITK':44} | highdicom")
        for name, found in run_cases(Path(folder)):
            remark(f"{name:36} | {' | '.join(f'{verdict:44}' for verdict, _ in found)}")
            for reader, (_, silent) in zip(wrong, found, strict=True):
                wrong[reader] += silent
    for reader, count in wrong.items():
        yield Figure(f"{len(CASES)} made cases", "silently wrong", (count,), reader, leads=True)
    if not asked.small:
        folder_of_files = asked.data("volumes/pydicom_data/data")
        paths = sorted(folder_of_files.iterdir())
        yield Figure(f"{len(paths)} files of pydicom-data", "silently wrong", (_judge_files(paths),), leads=True)


def _judge_files(paths: list[Path]) -> int:
    silent = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in paths:
            mine, opinion, wrong = compare_file(path)
            silent += wrong
            remark(f"{path.name:44} | {mine:36} | {opinion}")
    return silent


if __name__ == "__main__":
    main(figures, __doc__)
