import pytest

from polyclinic.records.text.assertion import NAMES, assess


def said(text: str) -> list[str]:
    """What is said of the mentions that stand in square brackets."""
    spans, plain = [], ""
    for number, part in enumerate(text.replace("]", "[").split("[")):
        if number % 2:
            spans.append((len(plain), len(plain) + len(part)))
        plain += part
    return assess(plain, spans)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("He has [asthma].", ["affirmed"]),
        ("No evidence of [pneumonia].", ["negated"]),
        ("Denies [chest pain], [dyspnoea] or [fever].", ["negated"] * 3),
        ("No [fever] but [cough] persists.", ["negated", "affirmed"]),
        ("[Pneumothorax] was ruled out.", ["negated"]),
        ("Not only [fever] but [rash].", ["affirmed", "affirmed"]),
        ("Possible [pneumonia]; [effusion] is seen.", ["possible", "affirmed"]),
        ("[Embolism] cannot be excluded.", ["possible"]),
        ("History of [stroke].", ["historical"]),
        ("Mother had [breast cancer]. Patient has [asthma].", ["family", "affirmed"]),
        ("Return if [fever] occurs.", ["hypothetical"]),
        ("Gram negative [sepsis].", ["affirmed"]),
        ("患者有[高血压]。", ["affirmed"]),
        ("否认[高血压]、[糖尿病]，[冠心病]史。", ["negated"] * 3),
        ("无[发热]，[咳嗽]明显。", ["negated", "affirmed"]),
        ("[抗体](-)，[肿瘤]待排。", ["negated", "possible"]),
        ("考虑[肺炎]可能。", ["possible"]),
        ("既往[脑梗死]。", ["historical"]),
        ("父亲患[肝癌]。", ["family"]),
        ("如出现[发热]及时就诊。", ["hypothetical"]),
        ("无菌操作下行[穿刺术]。", ["affirmed"]),
    ],
)
def test_what_is_said_of_a_mention(text, wanted):
    assert said(text) == wanted


def test_names_begin_with_affirmed_and_nothing_asks_nothing():
    assert NAMES[0] == "affirmed"
    assert assess("No fever.", []) == []


def test_a_long_text_is_quick():
    text = "No fever, denies pain. " * 2000
    spans = [(k * 23 + 3, k * 23 + 8) for k in range(2000)]
    assert set(assess(text, spans)) == {"negated"}
