"""The codes of languages: from what detectors answer to ISO 639-3 and BCP 47.

Holds: `canonical`, `parent`, `group`, `is_close`, `tag`, and the tables behind them. Pure.
Not here: the detectors (`detectors.py`), the decision between them (`language.py`).

`language` is a partition value: always three lower-case ASCII letters.
"""

from __future__ import annotations

UNDETERMINED = "und"
NON_LINGUISTIC = "zxx"

ISO_639_3: dict[str, str] = dict(
    pair.split(":")
    for pair in """
    aa:aar ab:abk af:afr ak:aka am:amh an:arg ar:ara as:asm ay:aym az:aze ba:bak be:bel bg:bul
    bi:bis bn:ben bo:bod br:bre bs:bos ca:cat co:cos cs:ces cy:cym da:dan de:deu dv:div dz:dzo
    ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fj:fij fo:fao fr:fra fy:fry
    ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye
    ia:ina id:ind ie:ile ig:ibo ik:ipk is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kk:kaz kl:kal
    km:khm kn:kan ko:kor ks:kas ku:kur ky:kir la:lat lb:ltz lg:lug ln:lin lo:lao lt:lit lv:lav
    mg:mlg mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob ne:nep nl:nld
    nn:nno nr:nbl ny:nya oc:oci om:orm or:ori os:oss pa:pan pl:pol ps:pus pt:por qu:que rm:roh
    rn:run ro:ron ru:rus rw:kin sa:san sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna
    so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir
    tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie
    vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
    """.split()  # noqa: SIM905 - read as a table
)
"""ISO 639-1 to ISO 639-3, for every two-letter code that a detector can answer."""

_THREE = frozenset(
    """
    ace ary arz bcl bug ceb chr crh crs ext fuv gaa gcf gcr gom got grc guw haw hbo hmn kab kha kik
    kri lif lij loz ltg lua luo mfe new nso pam pcm raj sco sdh syr tlh tum vec war wuu yue zxx
    """.split()  # noqa: SIM905 - read as a table
)
"""Labels that are ISO 639-3 already."""

_VARIANTS: dict[str, str] = {
    "bh": "bho",  # CLD2's Bihari; as a collection it has no ISO 639-3 code
    "fil": "tgl",
    "gug": "grn",
    "iw": "heb",
    "jw": "jav",
    "no": "nob",  # beside an `nn` of its own
    "sh": "hbs",
    "sr-ME": "srp",
    "tw": "aka",
    "uzs": "uzb",
}

_PARENTS = {"arz": "ara", "ary": "ara", "yue": "zho", "wuu": "zho", "hbo": "heb", "sdh": "kur"}

_GROUPS = {
    "hrv": "hbs", "bos": "hbs", "srp": "hbs",
    "ind": "msa",
    "nob": "nor", "nno": "nor",
    **_PARENTS,
}  # fmt: skip

_CLOSE = frozenset({"hrv", "bos", "srp", "ind", "msa", "nob", "nno", "zho", "yue", "wuu"})

_SCRIPTS: dict[str, str] = {
    language: script
    for script, languages in {
        "Arab": "ara arz ary fas kas pus sdh snd uig urd",
        "Armn": "hye", "Beng": "asm ben", "Cher": "chr", "Deva": "bho gom hin mar nep new raj san",
        "Cyrl": "abk bak bel bul kaz kir mkd mon oss rus srp tat tgk ukr", "Ethi": "amh tir",
        "Cans": "iku", "Geor": "kat", "Goth": "got", "Grek": "ell grc", "Gujr": "guj",
        "Guru": "pan", "Hebr": "hbo heb yid", "Jpan": "jpn", "Khmr": "khm", "Knda": "kan",
        "Kore": "kor", "Laoo": "lao", "Limb": "lif", "Mlym": "mal", "Mymr": "mya", "Orya": "ori",
        "Sinh": "sin", "Syrc": "syr", "Taml": "tam", "Telu": "tel", "Thaa": "div", "Thai": "tha",
        "Tibt": "bod dzo", "Zyyy": "und zxx",
    }.items()
    for language in languages.split()
}  # fmt: skip
"""The script that goes without saying; Latin where a language is not listed, none for Chinese."""

_CHINESE = {"zho", "yue", "wuu"}
_SHORTEST = {three: two for two, three in ISO_639_3.items()}


def canonical(label: str) -> str:
    """Return the ISO 639-3 code of a detector's label; `und` for script-only and joke labels.

    Raises:
        KeyError: a label that no table knows (a new detector version; extend the tables).
    """
    if label in {"un", "und", "xxx"} or label.startswith(("xx-", "zz")):
        return UNDETERMINED
    base = label.removesuffix("-Latn").removesuffix("-Hant")
    if base in _THREE:
        return base
    return _VARIANTS.get(label) or _VARIANTS.get(base) or ISO_639_3[base]


def parent(language: str) -> str:
    """Return the language that a variety is taken for unless it is certain."""
    return _PARENTS.get(language, language)


def group(language: str) -> str:
    """Return the group inside which detectors differ without contradicting each other."""
    return _GROUPS.get(language, language)


def is_close(language: str) -> bool:
    """Say whether a sentence of a mutually intelligible language may pass for this one's."""
    return language in _CLOSE


def tag(language: str, script: str) -> str:
    """Return the shortest BCP 47 tag, with the script where it is not the usual one."""
    base = _SHORTEST.get(language, language)
    usual = "" if language in _CHINESE else _SCRIPTS.get(language, "Latn")
    return base if script in {usual, "Zyyy"} or language == NON_LINGUISTIC else f"{base}-{script}"
