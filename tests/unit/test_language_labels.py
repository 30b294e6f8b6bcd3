"""Codes of languages: every label of every detector, and the tags made of them."""

from __future__ import annotations

import re

import pycld2
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.enrich.labels import canonical, group, parent, tag

CLD3 = """
af am ar az be bg bg-Latn bn bs ca ceb co cs cy da de el el-Latn en eo es et eu fa fi fil fr fy ga
gd gl gu ha haw hi hi-Latn hmn hr ht hu hy id ig is it iw ja ja-Latn jv ka kk km kn ko ku ky la lb
lo lt lv mg mi mk ml mn mr ms mt my ne nl no ny pa pl ps pt ro ru ru-Latn sd si sk sl sm sn so sq sr
st su sv sw ta te tg th tr uk ur uz vi xh yi yo zh zh-Latn zu und
"""


def labels() -> set[str]:
    """Return all labels that a detector can answer."""
    found = {code for _, code in pycld2.LANGUAGES} | {"un"} | set(CLD3.split())
    return found | set(LanguageIdentifier.from_model_file(MODEL_FILE).labels)


def test_every_label_has_a_code() -> None:
    """No label of the three detectors is unmapped, and every code is three lower-case letters."""
    codes = {label: canonical(label) for label in labels()}
    assert {code for code in codes.values() if not re.fullmatch("[a-z]{3}", code)} == set()


def test_unknown_label_is_an_error() -> None:
    """A label of a future detector version is not passed on silently."""
    with pytest.raises(KeyError):
        canonical("qq")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("en", "eng"), ("iw", "heb"), ("he", "heb"), ("jw", "jav"), ("no", "nob"), ("nn", "nno"),
        ("fil", "tgl"), ("zh-Hant", "zho"), ("zh-Latn", "zho"), ("sr-ME", "srp"), ("uzs", "uzb"),
        ("yue", "yue"), ("zxx", "zxx"), ("xx-Copt", "und"), ("zzp", "und"), ("un", "und"),
    ],
)  # fmt: skip
def test_label(label: str, code: str) -> None:
    """Old codes, variants and script-only labels have one spelling each."""
    assert canonical(label) == code


@pytest.mark.parametrize(
    ("language", "script", "expected"),
    [
        ("eng", "Latn", "en"), ("zho", "Hans", "zh-Hans"), ("zho", "Hant", "zh-Hant"),
        ("zho", "Hani", "zh-Hani"), ("yue", "Hant", "yue-Hant"), ("srp", "Cyrl", "sr"),
        ("srp", "Latn", "sr-Latn"), ("und", "Cyrl", "und-Cyrl"), ("und", "Zyyy", "und"),
        ("zxx", "Latn", "zxx"), ("jpn", "Jpan", "ja"), ("rus", "Latn", "ru-Latn"),
        ("ceb", "Latn", "ceb"), ("nob", "Latn", "nb"),
    ],
)  # fmt: skip
def test_tag(language: str, script: str, expected: str) -> None:
    """A tag is as short as BCP 47 allows and names the script only where it is not the usual."""
    assert tag(language, script) == expected


def test_groups_hold_varieties_with_their_parents() -> None:
    """A variety that is taken back to its parent does not leave its group."""
    codes = {canonical(label) for label in labels()}
    assert {code for code in codes if group(code) != group(parent(code))} == set()
