"""Which values a named measure cannot have in a living patient. Only names that leave no doubt are judged.

Source: the limits are those of measurement itself (nothing below zero, no share above 100) or lie beyond the extremes
described in living patients: 122 years of age; a core temperature of 13.7 to 46.5 degrees Celsius (Gilbert et al.,
Lancet 2000; Slovis et al., Annals of Emergency Medicine 1982). They find wrong units and slips, nothing finer.
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Limits:
    """What a measure can be, in words and numbers.

    Attributes:
        what: Name for a message.
        ranges: Alternative ranges, one per usual unit; a column must fit one of them.
        zero_possible: Whether 0 is a measurement and not a sign for "not measured".
        usual_from: From which usual value on the column is this measure, where the name alone leaves doubt.
    """

    what: str
    ranges: tuple[tuple[float, float], ...]
    zero_possible: bool = True
    usual_from: float = -float("inf")


_AT = r"( (at|bei|au|al) (diagnosis|admission|diagnose|aufnahme|diagnostic|diagnostico))?"
_SYSTOLIC = "(systolic|diastolic|systolisch|diastolisch|systolique|diastolique|sistolica|diastolica)"
_PER_LITRE = "mg dl|g dl|g l|mg l|[muμ]mol l"
_LIMITS = (
    (
        f"(age|alter|patientenalter|lebensalter|edad){_AT}|(患者|就诊|入院)?年[龄齡]",
        "(in |en )?(years?|yrs?|y|jahren?|ans|annees|anos)|[岁歲年]",
        Limits("age in years", ((0, 130),)),
    ),
    ("height cm", "", Limits("height in cm", ((10, 280),), zero_possible=False)),
    (
        "korpergrosse|koerpergroesse|korperlange|estatura|talla|taille corporelle|身高",
        "(in |en )?(cm|m)|厘米|公分|米",
        Limits("height in cm or m", ((10, 280), (0.1, 2.8)), zero_possible=False),
    ),
    (
        "grosse|groesse|taille",
        "(in |en )?cm",
        Limits("height in cm", ((10, 280),), zero_possible=False, usual_from=100),
    ),
    ("weight kg", "", Limits("weight in kg", ((0.2, 700),), zero_possible=False)),
    (
        "gewicht|korpergewicht|koerpergewicht|poids|peso|peso corporal|体重|體重",
        "(in |en )?(kg|g)|千克|公斤|克",
        Limits("weight in kg or g", ((0.2, 700), (200, 7e5)), zero_possible=False),
    ),
    (
        "bmi|body mass index|korpermasseindex|imc|indice de (masse corporelle|masa corporal)|体重指数|体质(量)?指数",
        "kg m ?2",
        Limits("body mass index", ((3, 300),), zero_possible=False),
    ),
    (
        "heart rate|pulse|pulse rate|herzfrequenz|puls|pulsfrequenz|frequence cardiaque|pouls|frecuencia cardiaca|pulso"
        "|心率|脉搏|脉率",
        "bpm|(beats |schlage |1 )?min|次 ?分",
        Limits("heart rate", ((0, 500),), zero_possible=False),
    ),
    (
        "respiration rate|respiratory rate|atemfrequenz|frequence respiratoire|frecuencia respiratoria|呼吸频率|呼吸率",
        "(1 )?min|次 ?分",
        Limits("respiration rate", ((0, 200),), zero_possible=False),
    ),
    (
        f"({_SYSTOLIC}|mean arterial)( blood)?( pressure)?|sbp|dbp|blood pressure|resting blood pressure"
        f"|{_SYSTOLIC}er (blut)?druck|blutdruck( {_SYSTOLIC})?"
        f"|(tension|pression|presion)( arterielle| arterial)? {_SYSTOLIC}|(pression|tension) arterielle"
        "|(presion|tension) arterial|收缩压|舒张压|血压",
        "mm ?hg",
        Limits("blood pressure", ((0, 400),), zero_possible=False),
    ),
    (
        "(body )?temperature|temp c|temperatur|korpertemperatur|koerpertemperatur|temperature corporelle"
        "|temperatura( corporal)?|体温",
        "(in |en )?[cf]|摄氏度",
        Limits("body temperature", ((12, 48), (53, 120)), zero_possible=False),
    ),
    (
        "spo2|sao2|oxygen saturation|(o2|sauerstoff) ?(sattigung|saettigung)|saturation (en oxygene|o2)"
        "|saturacion (de oxigeno|o2)|血氧(饱和度)?",
        "percent|prozent",
        Limits("oxygen saturation", ((0, 100),)),
    ),
    (
        "glucose|blood glucose|cholesterol|serum creatinine|creatinine|glukose|blutzucker|cholesterin|kreatinin"
        "|glycemie|glucosa|colesterol|creatinina|血糖|胆固醇|肌酐",
        _PER_LITRE,
        Limits("blood level", ((0, 1e6),), False),
    ),
    (
        "(length of|days of) stay|los|time in hospital|verweildauer|liegedauer|duree (de|du) sejour|住院(天数|日)",
        "days|tagen?|jours|dias|in tagen",
        Limits("length of stay", ((0, 1e5),)),
    ),
)
"""What columns are called in English, German, French, Spanish and Chinese, without accents; units; what they can be."""


def limits_of(name: str) -> Limits | None:
    """The limits of the measure that a column name states, or None where it leaves doubt."""
    letters = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    words = re.sub(r"[\W_]+", " ", letters.casefold()).strip()
    return next((limits for names, units, limits in _LIMITS if re.fullmatch(f"({names})( ({units}))?", words)), None)


def impossible(values: Float[np.ndarray, " row"], limits: Limits) -> Bool[np.ndarray, " row"]:
    """Rows outside the limits; none for a column that was standardised, whose numbers are no measurements any more."""
    known = values[~np.isnan(values)]
    if not len(known) or _standardised(known) or np.median(known) < limits.usual_from:
        return np.zeros(len(values), dtype=bool)
    outside = [(values < low) | (values > high) for low, high in limits.ranges]
    outside = [o & ~((values == 0) & (not limits.zero_possible)) for o in outside]
    return min(outside, key=lambda o: int(o.sum()))


def possible_range(name: str, lowest: float, highest: float) -> tuple[float, float] | None:
    """The limits of the measure that a column name states, in the unit in which known values of it are.

    None where the name leaves doubt, or the known values are no such measurements, as after a standardisation.

    Args:
        name: Of the column.
        lowest: The lowest known value.
        highest: The highest one.
    """
    limits = limits_of(name)
    ranges = () if limits is None or (lowest + highest) / 2 < limits.usual_from else limits.ranges
    return next(((low, high) for low, high in ranges if low <= lowest and highest <= high), None)


def zeros_stand_apart(column: pl.Series) -> bool:
    """Whether 0 looks like a sign for "not measured": all other values lie far above it, with a gap in between.

    The gap below the smallest positive value is at least ten times the usual distance between neighbouring values,
    and zeros are less than 60 % of the known values.
    """
    known = column.drop_nulls()
    zeros = int((known == 0).sum())
    positive = np.unique(known.filter(known > 0).to_numpy().astype(np.float64))
    if not zeros or zeros > 0.6 * len(known) or len(positive) < 20 or bool((known < 0).any()):
        return False
    return bool(positive[0] >= 10 * np.median(np.diff(positive)) and positive[0] > 0.2 * np.median(positive))


def _standardised(known: Float[np.ndarray, " value"]) -> bool:
    scaled = abs(float(known.mean())) < 0.2 and 0.5 < float(known.std()) < 1.5
    return bool((scaled and known.min() < 0) or (known.min() >= 0 and known.max() <= 1))
