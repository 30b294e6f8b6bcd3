"""The language annotator: which language a text is in, or `und`, and where it changes.

Holds: `annotator`, `identify`, `Language`, `ballot`. Pure but for the detectors' models.
Not here: the vote (`vote.py`), paragraphs (`paragraphs.py`), scripts (`codepoints.py`), codes
(`labels.py`).

What is read of a long text: script and letters from three windows of 32,768 characters, the vote
from three windows of 500. CLD2 reads all of a text up to 20,000 characters; where it sees one
language in it, and so does the vote, nobody reads on. Else each paragraph is read, its first 150
characters. Where the vote of a text below 2,000 characters leads nowhere, its sentences are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
import pyarrow as pa

from pipeline.enrich.annotator import LANGUAGE, PLACES, Annotator
from pipeline.enrich.codepoints import Writing, bearable, look, windows
from pipeline.enrich.detectors import cld2, cld2_whole, cld3, model_id
from pipeline.enrich.labels import NON_LINGUISTIC, UNDETERMINED, tag
from pipeline.enrich.ngrams import Scored, ngrams
from pipeline.enrich.paragraphs import Span, Unit, is_mixed, sentences, shares, spans, units
from pipeline.enrich.vote import BOTH, Ballot, Verdict, Vote, agree, decide, familiar
from pipeline.model.schemas import LANGUAGE_COLUMNS

MIN_LETTERS = 20
SAMPLE_COUNT, SAMPLE_SIZE = 3, 1 << 15
WINDOW_COUNT, WINDOW_SIZE = 3, 500
PARAGRAPH_SIZE = 150
FOREIGN_CONFIDENCE = 0.7
LEADER_SHARE = 0.6
SENTENCES_BELOW = 2000
WHOLE = 20_000
"""Characters up to which CLD2 reads all of a text; of a longer one, the windows that vote."""
MIXED_CONFIDENCE = 0.95
"""Of a mixed text named by its paragraphs; in the evaluation none was named wrongly."""


class Language(msgspec.Struct, frozen=True):
    """What is known about the language of one text.

    `status` is one of eight words. `spans` tile the text; texts that nobody was asked about have
    none.
    """

    language: str
    confidence: float
    status: str
    script: str
    how: str = ""
    shares: tuple[tuple[str, float], ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Say whether two languages have a tenth of the letters each."""
        return is_mixed(self.shares)


class _Asked(msgspec.Struct, frozen=True):
    """A text on its way to the detectors, and the part of it that votes."""

    seen: Writing
    part: str


class _Heard(msgspec.Struct, frozen=True):
    """What the whole text's vote was; its paragraphs, unless there is no need to ask them."""

    verdict: Verdict
    units: list[Unit]
    samples: list[str]


def annotator() -> Annotator:
    """Return the annotator; models load when it is first used."""
    return Annotator(
        name="language",
        columns=(LANGUAGE, *LANGUAGE_COLUMNS),
        annotate=_annotate,
        model=model_id(),
    )


def identify(texts: Sequence[str]) -> list[Language]:
    """Identify the languages of texts of any length and content."""
    asked = [_prepare(text) for text in texts]
    scored = ngrams().score([one.part for one in asked])
    heard = [
        _hear(text, one, scored, place)
        for place, (text, one) in enumerate(zip(texts, asked, strict=True))
    ]
    scored = ngrams().score([sample for one in heard for sample in one.samples])
    found, place = [], 0
    for one, two in zip(asked, heard, strict=True):
        found.append(_answer(one.seen, two, scored, place))
        place += len(two.samples)
    return [_again(text, one) for text, one in zip(texts, found, strict=True)]


def _prepare(text: str) -> _Asked:
    seen = look("\n".join(windows(text, count=SAMPLE_COUNT, size=SAMPLE_SIZE)))
    if seen.letters < MIN_LETTERS:
        return _Asked(seen, "")
    return _Asked(seen, "\n".join(windows(seen.text, count=WINDOW_COUNT, size=WINDOW_SIZE)))


def _hear(text: str, asked: _Asked, scored: Scored, place: int) -> _Heard:
    """Let the whole text vote, and cut it into paragraphs where these may say something else.

    They have nothing to add where CLD2 sees one language in all of the text, the same as py3langid
    in its windows, and the text is as texts in that language are.
    """
    seen = asked.seen
    everything = [Unit(0, len(text), seen.letters)]
    if seen.letters < MIN_LETTERS:
        return _Heard(Verdict(UNDETERMINED, 0.0, ""), everything, [])
    second, alone = (
        cld2_whole(seen.text)
        if len(asked.part) < len(seen.text) <= WHOLE
        else (cld2(asked.part), False)
    )
    votes = ballot(scored, place, second=second, text=asked.part, script=seen.script)
    verdict = decide(votes)
    if alone and verdict.how.startswith(BOTH) and votes.first[1] >= FOREIGN_CONFIDENCE:
        return _Heard(verdict, everything, [])
    parts = units(text)
    if len(parts) == 1:
        return _Heard(verdict, parts, [])
    samples = [text[unit.start : unit.end].strip()[:PARAGRAPH_SIZE] for unit in parts]
    if len(seen.text) != len(text):  # something was hidden, or not all was looked at
        samples = [bearable(sample) for sample in samples]
    return _Heard(verdict, parts, samples)


def _answer(seen: Writing, heard: _Heard, scored: Scored, place: int) -> Language:
    """Hear the paragraphs of a text, scored from `place` on.

    A mixed text is in what most of it is in.
    """
    if seen.letters < MIN_LETTERS:
        return _unread(seen)
    verdict = heard.verdict
    names = _paragraphs(heard, scored, place, whole=verdict.language)
    parts = shares(heard.units, names)
    if (leader := _leader(parts, verdict)) != verdict.language:
        verdict = Verdict(leader, MIXED_CONFIDENCE, "ok", "paragraphs")
        names = _paragraphs(heard, scored, place, whole=leader)
        parts = shares(heard.units, names)
    return Language(
        language=verdict.language,
        confidence=verdict.confidence,
        status=verdict.status,
        script=seen.script,
        how=verdict.how,
        shares=tuple(parts),
        spans=tuple(spans(heard.units, names)),
    )


def _again(text: str, found: Language) -> Language:
    """Read a short text that is unlike any language by sentences: it may be in two on one line."""
    if found.status not in {"unfamiliar", "disagree"} or len(text) >= SENTENCES_BELOW:
        return found
    parts = sentences(text, MIN_LETTERS)
    if len(parts) == 1:
        return found
    samples = [bearable(text[unit.start : unit.end].strip()[:PARAGRAPH_SIZE]) for unit in parts]
    scored = ngrams().score(samples)
    names = [
        _paragraph(scored, number, text=sample, whole=UNDETERMINED)
        for number, sample in enumerate(samples)
    ]
    found_in = shares(parts, names)
    if not is_mixed(found_in):
        return found
    return Language(
        language=next(name for name, _ in found_in if name != UNDETERMINED),
        confidence=MIXED_CONFIDENCE,
        status="ok",
        script=found.script,
        how="paragraphs",
        shares=tuple(found_in),
        spans=tuple(spans(parts, names)),
    )


def ballot(scored: Scored, place: int, *, second: Vote, text: str, script: str) -> Ballot:
    """Gather the votes on a text that py3langid has scored, at `place`, and CLD2 has seen."""
    first = scored.labels[place], scored.confidences[place]
    third = None if first[0] == second[0] else cld3(text)
    if first[0] == NON_LINGUISTIC and script != "Latn":
        first = (UNDETERMINED, 0.0)  # letters that py3langid cannot read are no code or log
    fit, tokens = scored.fits[place], scored.tokens[place]
    return Ballot(first=first, second=second, third=third, fit=fit, tokens=tokens)


def _paragraphs(heard: _Heard, scored: Scored, place: int, *, whole: str) -> list[str]:
    """Return the language of each unit of a text that is, as a whole, in the language `whole`."""
    if not heard.samples:
        return [whole] * len(heard.units)
    return [
        _paragraph(scored, place + number, text=sample, whole=whole)
        for number, sample in enumerate(heard.samples)
    ]


def _paragraph(scored: Scored, place: int, *, text: str, whole: str) -> str:
    """Take a paragraph to be in the language of the whole text unless two detectors object."""
    label, sure = scored.labels[place], scored.confidences[place]
    if sure < FOREIGN_CONFIDENCE or agree(label, whole) or label == NON_LINGUISTIC:
        return whole
    second = cld2(text)
    fit, tokens = scored.fits[place], scored.tokens[place]
    votes = Ballot(first=(label, sure), second=second, third=None, fit=fit, tokens=tokens)
    return decide(votes).language if agree(label, second[0]) and familiar(votes) else whole


def _leader(parts: list[tuple[str, float]], verdict: Verdict) -> str:
    """Return the known language that most letters are in, where paragraphs know better.

    They do for a mixed text, and for one that a foreign passage makes unlike its language.
    """
    known = [one for one in parts if one[0] not in {UNDETERMINED, NON_LINGUISTIC}]
    foreign = verdict.status == "unfamiliar" and known and known[0][1] >= LEADER_SHARE
    return known[0][0] if is_mixed(parts) or foreign else verdict.language


def _unread(seen: Writing) -> Language:
    """Name a text with too few letters to ask anybody."""
    if not seen.visible:
        return Language(UNDETERMINED, 0.0, "empty", seen.script)
    if not seen.letters:
        return Language(NON_LINGUISTIC, 1.0, "non_linguistic", seen.script)
    return Language(UNDETERMINED, 0.0, "short", seen.script)


@cache
def _schema() -> pa.Schema:
    return pa.schema((LANGUAGE, *LANGUAGE_COLUMNS))


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - the first annotator needs no columns of others
    found = identify(texts.to_pylist())
    columns = [
        [one.language for one in found],
        [tag(one.language, one.script) for one in found],
        [one.script for one in found],
        [round(one.confidence, PLACES) for one in found],
        [one.status for one in found],
        [[{"language": name, "share": share} for name, share in one.shares] for one in found],
        [[msgspec.structs.asdict(span) for span in one.spans] for one in found],
        [one.is_mixed for one in found],
        [model_id()] * len(found),
    ]
    arrays = [
        pa.array(values, field.type) for values, field in zip(columns, _schema(), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_schema())
