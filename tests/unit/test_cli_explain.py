"""`winnow explain --text` says of a text what the next night then does with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from rich.console import Console

from pipeline import runner
from pipeline.audit.explain import explain_document
from pipeline.audit.would_be import Landing, explain_text
from pipeline.cli import cli, output
from pipeline.model.rule import Rule
from pipeline.model.settings import DedupSettings, Settings
from pipeline.signature import sign, similarity
from pipeline.storage.open import open_store
from tests.nights import land, run, settings_for

WORDS = 120
FIRST = [f"word{number}" for number in range(WORDS)]


def changed(*places: int, length: int = 6, mark: str = "other") -> str:
    """Return the first text with other words from each of the places on."""
    words = list(FIRST)
    for place in places:
        words[place : place + length] = [f"{mark}{place}x{at}" for at in range(length)]
    return " ".join(words)


ORIGINAL = changed()
NEAR = changed(20)
SHORT = "Only four words here"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Publish an original and a short text, then a night whose one document is dropped."""
    (tmp_path / "landing").mkdir()
    made = settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))
    publish(made, "2026-11-21", ORIGINAL, SHORT)
    assert publish(made, "2026-11-22", NEAR)["kept"] == 0
    return made


def publish(settings: Settings, dump_date: str, *texts: str) -> Any:
    """Land texts as a night of their own and publish it."""
    rows = [json.dumps({"id": str(at), "text": text}) for at, text in enumerate(texts)]
    key = f"web/{dump_date}/texts.jsonl"
    land(open_store(settings.store.landing), [(key, "\n".join(rows).encode())])
    return run(settings, dump_date, f"run-{dump_date}")


def explained(settings: Settings, text: str, threshold: float = 0.75) -> list[dict[str, Any]]:
    """Ask about a text."""
    with runner.corpus_session(settings) as corpus:
        return explain_text(corpus, text, Landing(Rule(threshold=threshold)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ORIGINAL, [("exact", "2026-11-21"), ("unpublished", "2026-11-22")], id="copy"),
        pytest.param(
            NEAR, [("near", "2026-11-21"), ("unpublished", "2026-11-22")], id="copy of a dropped"
        ),
        pytest.param(
            changed(21), [("near", "2026-11-21"), ("unpublished", "2026-11-22")], id="near"
        ),
        pytest.param(
            changed(20, 70, length=7), [("unpublished", "2026-11-22")], id="like a dropped one only"
        ),
        pytest.param(SHORT, [("exact", "2026-11-21")], id="short copy"),
        pytest.param("Only four words there", [], id="short"),
        pytest.param("another text " * 30, [], id="unlike"),
    ],
)
def test_an_answer_is_what_the_next_night_does(
    settings: Settings, text: str, expected: list[tuple[str, str]]
) -> None:
    """A text has a duplicate exactly if its night drops it, and the first named is its witness."""
    answers = explained(settings, text)
    assert [(one["relation"], one["document"]["dump_date"]) for one in answers] == expected
    duplicates = [one for one in answers if one["duplicate"]]
    assert [one["relation"] in {"exact", "near"} for one in answers] == [
        one["duplicate"] for one in answers
    ]
    committed = publish(settings, "2026-11-23", text)
    assert committed["kept"] == (0 if duplicates else 1)
    if duplicates:
        assert witness(settings, "2026-11-23") == duplicates[0]["document"]["document_id"]


def witness(settings: Settings, dump_date: str) -> str:
    """Return the witness of the one document of a night."""
    folder = Path(settings.store.corpus) / "verdicts" / f"dump_date={dump_date}"
    table = pq.read_table(folder, partitioning=None)
    (row,) = table.to_pylist()
    with runner.corpus_session(settings) as corpus:
        answer = explain_document(corpus, row["document_id"])
    assert answer["witness"]["document_id"] == row["witness_id"]
    return str(row["witness_id"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(NEAR, ["near", "unpublished"], id="a copy shares the verdict all the same"),
        pytest.param(changed(21), [], id="not similar enough for the night to come"),
    ],
)
def test_a_stricter_night(settings: Settings, text: str, expected: list[str]) -> None:
    """A raised threshold frees what is like a document, not what is a copy of a dropped one."""
    answers = explained(settings, text, threshold=0.97)
    assert [one["relation"] for one in answers] == expected
    stricter = msgspec.structs.replace(settings, dedup=DedupSettings(threshold=0.97))
    assert publish(stricter, "2026-11-23", text)["kept"] == (0 if expected else 1)
    if expected:
        assert witness(settings, "2026-11-23") == answers[0]["document"]["document_id"]


def test_a_stricter_corpus(settings: Settings) -> None:
    """Documents published under a stricter threshold keep to it when the next night is laxer."""
    published_again(settings, 0.97)
    assert explained(settings, changed(21)) == []
    assert publish(settings, "2026-11-23", changed(21))["kept"] == 1


def test_without_a_band_key_in_common_nobody_compares(settings: Settings) -> None:
    """A text as similar as the threshold asks for that meets no document counts as new."""
    text = unmet()
    laxer = published_again(settings, 0.5)
    answers = explained(settings, text, threshold=0.5)
    found = {one["document"]["dump_date"]: one["relation"] for one in answers}
    assert found["2026-11-21"] == "unmet"
    assert not any(one["duplicate"] for one in answers)
    assert publish(laxer, "2026-11-23", text)["kept"] == 1


def published_again(settings: Settings, threshold: float) -> Settings:
    """Publish both nights again under another threshold."""
    other = msgspec.structs.replace(settings, dedup=DedupSettings(threshold=threshold))
    for day in (21, 22):
        run(other, f"2026-11-{day}", f"again-{day}")
    return other


def unmet() -> str:
    """Find a text of similarity .5 or more to the original, without a band key in common."""
    original = sign(pa.array([ORIGINAL]))
    for number in range(1000):
        text = changed(20, 70, length=15, mark=f"other{number}")
        signed = sign(pa.array([text]))
        score = similarity(signed.minima[0], original.minima[0])
        keys = [one.band_keys[0].view("<u8") for one in (signed, original)]
        if score >= 0.5 and not (keys[0] == keys[1]).any():
            return text
    pytest.fail("no such text among a thousand")


def test_duplicates_are_not_crowded_out(settings: Settings) -> None:
    """The limit counts duplicates and other similar documents apart."""
    for day in (23, 24, 25):
        publish(settings, f"2026-11-{day}", NEAR)
    with runner.corpus_session(settings) as corpus:
        answers = explain_text(corpus, NEAR, Landing(Rule()), limit=2)
    assert [one["relation"] for one in answers] == ["near", "unpublished", "unpublished"]


@pytest.mark.parametrize(
    ("text", "said", "unsaid"),
    [
        (NEAR, "It would not be published", "It would be published"),
        (changed(20, 70, length=7), "Similar, but not published themselves", "would not be"),
        ("another text " * 30, "It would be published", "Similar"),
    ],
)
def test_people_read_what_would_happen(
    settings: Settings, capsys: pytest.CaptureFixture[str], text: str, said: str, unsaid: str
) -> None:
    """The first line says whether the text would be published; dropped documents stand apart."""
    output.text_answer(explained(settings, text))
    printed = capsys.readouterr().out
    assert said in printed
    assert unsaid not in printed


def winnow(settings: Settings, *arguments: str, stdin: str | None = None, **rule: str) -> str:
    """Run `winnow explain` on the corpus, under a rule, and return what it prints."""
    environment = {"WINNOW_STORE__CORPUS": settings.store.corpus}
    environment |= {f"WINNOW_DEDUP__{name.upper()}": value for name, value in rule.items()}
    ended = CliRunner().invoke(cli, ["explain", *arguments], input=stdin, env=environment)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def id_of(settings: Settings, dump_date: str) -> str:
    """Return the id of the first document of a night."""
    folder = Path(settings.store.corpus) / "verdicts" / f"dump_date={dump_date}"
    return str(pq.read_table(folder, partitioning=None)["document_id"][0])


def test_an_id_is_explained_with_both_places_and_the_words_that_differ(settings: Settings) -> None:
    """Witness, similarity, file and lines of both, and a diff between plain marks."""
    dropped = id_of(settings, "2026-11-22")
    said = winnow(settings, dropped[:12])
    similar = json.loads(winnow(settings, dropped, "--json"))
    assert f"{dropped}  not published: near duplicate" in said
    witness_id = similar["witness"]["document_id"]
    assert f"witness {witness_id}, similarity {similar['document']['similarity']:.3f}" in said
    for date in ("2026-11-21", "2026-11-22"):
        assert f"dump_file  web/{date}/texts.jsonl" in said
    assert "114 in both, 6 only there, 6 only here" in said
    assert "word19 [-word20 word21 word22 word23 word24 word25-] {+other20x0 other20x1" in said


def test_the_diff_is_structured_for_machines(settings: Settings) -> None:
    """JSON has counts, and hunks of parts that say which text they are of."""
    answer = json.loads(winnow(settings, id_of(settings, "2026-11-22"), "--json"))
    diff = answer["diff"]
    assert (diff["same"], diff["only_witness"], diff["only_document"]) == (114, 6, 6)
    (hunk,) = diff["hunks"]
    assert [part["kind"] for part in hunk["parts"]] == ["same", "witness", "document", "same"]
    assert hunk["parts"][1]["text"].split() == FIRST[20:26]
    assert ORIGINAL[hunk["witness"] :].startswith("word12 ")


def test_a_published_document_has_no_witness_to_be_compared_with(settings: Settings) -> None:
    """It says that it is published, and where it is from."""
    answer = json.loads(winnow(settings, id_of(settings, "2026-11-21"), "--json"))
    assert (answer["witness"], answer["diff"]) == (None, None)
    assert answer["document"]["kept"] is True


def test_a_text_from_stdin_is_asked_about(settings: Settings) -> None:
    """`--text -` says what the text would duplicate, and how it differs."""
    said = winnow(settings, "--text", "-", stdin=changed(21))
    assert "It would not be published" in said
    assert "{+other21x0" in said
    assert json.loads(winnow(settings, "--text", "-", "--json", stdin="quite another text")) == []


@pytest.mark.parametrize(
    ("rule", "place", "said"),
    [
        ({"scope": "night"}, [], "Similar, but out of scope"),
        ({"scope": "night"}, ["--dump-date", "2026-11-21"], "It would not be published"),
        ({"scope": "2"}, [], "Similar, but out of scope"),
        ({"scope": "3"}, [], "It would not be published"),
        ({}, ["--dump-date", "2026-11-20"], "It would take the place of these"),
        ({"source_priority": '["web"]'}, ["--source", "web"], "It would not be published"),
        ({"source_priority": '["news"]'}, ["--source", "news"], "It would not be published"),
        ({"survivor": "longest"}, [], "It would not be published"),
    ],
)
def test_a_text_is_judged_by_the_rule_in_force(
    settings: Settings, rule: dict[str, str], place: list[str], said: str
) -> None:
    """Scope, date, source and length count; a night of ranks comes behind one without."""
    assert said in winnow(settings, "--text", "-", *place, stdin=changed(21), **rule)


@pytest.mark.parametrize(
    ("rule", "source", "longer"),
    [
        ({"survivor": "longest"}, "", " and more"),
        ({"source_priority": '["news", "web"]'}, "news", ""),
    ],
)
def test_a_text_takes_the_place_of_what_it_outranks(
    settings: Settings, rule: dict[str, str], source: str, longer: str
) -> None:
    """Once the corpus is published under the rule, a longer text or a better source comes first."""
    own = {"survivor": "earliest", "source_priority": "[]"} | rule
    ranked = DedupSettings(
        survivor=own["survivor"],  # type: ignore[arg-type]
        source_priority=tuple(json.loads(own["source_priority"])),
    )
    for day in (21, 22):
        run(msgspec.structs.replace(settings, dedup=ranked), f"2026-11-{day}", f"again-{day}")
    said = winnow(settings, "--text", "-", "--source", source, stdin=NEAR + longer, **rule)
    assert "It would take the place of these" in said


def test_only_a_text_lands_somewhere(settings: Settings) -> None:
    """`--source` beside an id is refused, not ignored."""
    arguments = ["explain", id_of(settings, "2026-11-21"), "--source", "web"]
    environment = {"WINNOW_STORE__CORPUS": settings.store.corpus}
    ended = CliRunner().invoke(cli, arguments, env=environment)
    assert ended.exit_code == 2
    assert "where a --text would land" in ended.stderr


def test_a_terminal_shows_colours_in_place_of_marks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words of the witness are red and struck out, those of the document green."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(output, "console", lambda: Console(force_terminal=True, width=300))
    with runner.corpus_session(settings) as corpus:
        output.document_answer(explain_document(corpus, id_of(settings, "2026-11-22")))
    printed = capsys.readouterr().out
    assert "\x1b[9;31mword20 word21 word22 word23 word24 word25\x1b[0m" in printed
    assert "\x1b[32mother20x0" in printed
    assert "[-" not in printed


def test_scripts_without_spaces_are_explained(tmp_path: Path) -> None:
    """Chinese pages that differ in one character: the diff shows this character alone."""
    (tmp_path / "landing").mkdir()
    made = settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))
    page = "".join(chr(0x4E00 + 37 * at) for at in range(200))
    publish(made, "2026-11-21", page)
    assert publish(made, "2026-11-22", page[:100] + "龥" + page[101:])["kept"] == 0
    diff = json.loads(winnow(made, id_of(made, "2026-11-22"), "--json"))["diff"]
    texts = {part["kind"]: part["text"] for part in diff["hunks"][0]["parts"]}
    assert (texts["witness"], texts["document"]) == (page[100], "龥")
