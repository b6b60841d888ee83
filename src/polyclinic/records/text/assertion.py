"""What a note says of a mention: that it is there, ruled out, possible, past, only supposed, or another person's.

Words that tell so ("triggers") reach over the rest of their clause: forwards, backwards or both, up to a word that ends
their reach. Rules, not learning: they hold for any entity, and can be read.

Source: ConText, Harkema H, Dowling JN, Thornblade T, Chapman WW. J Biomed Inform 2009;42:839-851; NegEx, Chapman WW et
al. J Biomed Inform 2001;34:301-310. The English triggers are common ones of these papers; the Chinese list is ours.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Int64

NAMES = ("affirmed", "negated", "possible", "historical", "hypothetical", "family")
"""The first is what is said when no trigger reaches a mention."""

Way = Literal["forward", "backward"]

_STRENGTH = ("family", "hypothetical", "negated", "possible", "historical")
"""Where several triggers reach a mention, the first of these is said."""

_ENGLISH: dict[tuple[str, Way], str] = {
    ("negated", "forward"): (
        "no evidence of|no sign of|no signs of|negative for|free of|absence of|denies|denied|denying|rules? out"
        "|ruled out|ruling out|without|never|not|no|neither|nor|lack of|lacks|fails to reveal|cannot|unremarkable for"
    ),
    ("negated", "backward"): (
        "(?:was|were|is|are|has been|have been) (?:ruled out|excluded|negative|absent|not seen|not present)"
        "|unlikely|not demonstrated|not identified|absent|ruled out|excluded"
    ),
    ("possible", "forward"): (
        "possible|possibly|probable|probably|suspected|suspicion of|suspicious for|suggestive of|may have|might have"
        "|cannot exclude|question of|questionable|concern for|consistent with|likely|presumed|differential diagnosis"
        "|versus|vs|evaluate for|r/o"
    ),
    ("possible", "backward"): (
        "(?:(?:is|are|was|remains) )?(?:possible|suspected|likely|probable|not excluded|not ruled out)"
        "|cannot be (?:excluded|ruled out)"
    ),
    ("historical", "forward"): (
        "history of|h/o|past medical history|previous|previously|prior|status post|s/p|formerly|in the past|childhood"
    ),
    ("historical", "backward"): r"in the past|years? ago|months? ago|in (?:19|20)\d\d|in childhood|resolved",
    ("hypothetical", "forward"): (
        "if|should|in case of|risk of|at risk for|to prevent|prophylaxis|watch for|warned of|unless|be alert for"
        "|screen(?:ing|ed)? for"
    ),
    ("family", "forward"): (
        "family history(?: of)?|fh|mother|father|brother|sister|son|daughter|aunt|uncle|grand(?:mother|father)|cousin"
        "|parents?|siblings?|relatives?|maternal|paternal"
    ),
    ("family", "backward"): "in (?:his|her|the) (?:mother|father|brother|sister|family)|runs in the family",
}
_CHINESE: dict[tuple[str, Way], str] = {
    ("negated", "forward"): "否认|未见|未及|未闻及|未触及|未发现|未诉|未查及|无明显|不伴|没有|无|排除|未出现|未累及",
    ("negated", "backward"): r"阴性|未见|[(（]\s*[-—－]\s*[)）]|已排除|不明显",
    ("possible", "forward"): "可能|疑似|怀疑|考虑|待排|疑为|不除外|不能排除|倾向于|可疑",
    ("possible", "backward"): r"可能|待排|不除外|待查|\?|？|可疑",
    ("historical", "forward"): "既往|曾患|曾有",
    ("historical", "backward"): r"病史|史|\d+\s*(?:年|月)前",
    ("hypothetical", "forward"): "如有|如出现|若有|若出现|一旦|预防|警惕|防止|注意有无",
    ("family", "forward"): "家族史|家族|父亲|母亲|父母|兄弟|姐妹|其父|其母|祖父|祖母|哥哥|姐姐|弟弟|妹妹|子女",
    ("family", "backward"): "家族史",
}
_DENIALS = ("否认", "家族史", "家族")
"""Chinese triggers that reach over a list with commas."""
# Words that look like triggers and are none. They are blanked before triggers are looked for.
_FALSE = re.compile(
    r"\b(?:no (?:increase|change|further|longer)|not (?:only|certain if|necessarily)|without (?:difficulty|change)"
    r"|gram[- ]negative|past (?:the|due))\b|无菌|无名|无力|不伴有?痛性|未婚|史密斯",
    re.IGNORECASE,
)
_CLAUSE_EN = re.compile(
    r"[.;!?\n]\s*|\b(?:but|however|although|though|except|apart from|which|who|secondary to|because of|presenting with)"
    r"\b",
    re.IGNORECASE,
)
# A comma ends the reach of a denial too when a new statement follows it.
_CLAUSE_ZH = re.compile(r"[。；;！!\n]|但是|但|然而|而|伴有|[，,](?=现|服|口服|予|给|目前|患者|查|有|于|入院|今)")
_COMMA_ZH = re.compile(r"[，,]")
_CHINESE_SIGN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class _Trigger:
    """Words that reach from ``start`` or ``end`` over ``low`` to ``high``."""

    name: str
    start: int
    end: int
    low: int
    high: int


def assess(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """What is said of each span, one of ``NAMES``. The language is that of each span's own clause."""
    if not spans:
        return []
    blanked = _FALSE.sub(lambda found: " " * len(found.group()), text)
    triggers = [*_find(blanked, _EN_PATTERNS, _clauses(blanked, _CLAUSE_EN)), *_find_chinese(blanked)]
    reach = np.array([(t.low, t.high, t.start, t.end) for t in triggers], dtype=np.int64).reshape(-1, 4).T
    return [_say(start, end, triggers, reach) for start, end in spans]


def _say(start: int, end: int, triggers: Sequence[_Trigger], reach: Int64[np.ndarray, "4 trigger"]) -> str:
    """The strongest of the triggers that reach a span and do not lie in it."""
    low, high, first, last = reach
    reached = np.flatnonzero((low <= start) & (end <= high) & ~((first < end) & (start < last)))
    names = {triggers[k].name for k in reached.tolist()}
    return next((name for name in _STRENGTH if name in names), NAMES[0])


def _find(
    text: str, patterns: dict[tuple[str, Way], re.Pattern[str]], clauses: Sequence[tuple[int, int]]
) -> list[_Trigger]:
    """Triggers of a text with their reach: to the end or to the beginning of their clause."""
    triggers = []
    for (name, way), pattern in patterns.items():
        for found in pattern.finditer(text):
            low, high = clauses[bisect_right(clauses, (found.start(), len(text))) - 1]
            reach = (found.end(), high) if way == "forward" else (low, found.start())
            triggers.append(_Trigger(name, found.start(), found.end(), *reach))
    return _without_inner(triggers)


def _find_chinese(text: str) -> list[_Trigger]:
    """Chinese triggers. Denials reach over lists with commas, as in "否认高血压、糖尿病，冠心病"; others end there."""
    if not _CHINESE_SIGN.search(text):
        return []
    clauses = _clauses(text, _CLAUSE_ZH)
    triggers = []
    for trigger in _find(text, _ZH_PATTERNS, clauses):
        if text[trigger.start : trigger.end] in _DENIALS:
            triggers.append(trigger)
            continue
        before = max((c.end() for c in _COMMA_ZH.finditer(text, 0, trigger.start)), default=0)
        after = _COMMA_ZH.search(text, trigger.end)
        high = min(trigger.high, after.start() if after else len(text))
        triggers.append(_Trigger(trigger.name, trigger.start, trigger.end, max(trigger.low, before), high))
    return triggers


def _without_inner(triggers: list[_Trigger]) -> list[_Trigger]:
    """Longer triggers instead of shorter ones within them: "not ruled out" holds no "not"."""
    kept: list[_Trigger] = []
    reached, longest = -1, 0
    for one in sorted(triggers, key=lambda t: (t.start, -t.end)):
        if one.end > reached or one.end - one.start == longest:
            kept.append(one)
        if one.end > reached:
            reached, longest = one.end, one.end - one.start
    return kept


def _clauses(text: str, breaks: re.Pattern[str]) -> list[tuple[int, int]]:
    edges = [0, *(found.end() for found in breaks.finditer(text)), len(text)]
    return [(low, high) for low, high in pairwise(edges) if high > low]


_EN_PATTERNS = {key: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for key, words in _ENGLISH.items()}
_ZH_PATTERNS = {key: re.compile(words) for key, words in _CHINESE.items()}
