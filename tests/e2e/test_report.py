"""The page about a run: what it says, how it looks, and that no text of a stranger gets through."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from PIL import Image
from playwright.sync_api import Browser, Page

from demo.nights import nights
from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit.status import run_rows
from pipeline.audit.tasks import records as records_of
from pipeline.audit.tasks import stages as stages_of
from pipeline.cli import cli
from pipeline.model.settings import Settings
from pipeline.model.task import TaskRecord
from pipeline.report.gather import gather
from pipeline.report.page import render
from pipeline.report.stage import page_of
from pipeline.storage import layout
from pipeline.storage.open import open_store
from pipeline.storage.units import Corpus
from tests.chromium import chromium
from tests.conftest import BUCKET
from tests.hostile import PAYLOADS
from tests.nights import SHARD_BYTES, land, settings_for
from tests.reporting import report_of

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("report")]

HOSTILE = "2026-12-01"
WIDTHS = (360, 1280)


@pytest.fixture(scope="module")
def settings(object_store: ObjectStore) -> Settings:
    """Publish three demo nights and a hostile one on the S3 server, each with its page."""
    urls = (f"s3://{BUCKET}/report/{name}" for name in ("landing", "corpus"))
    made = settings_for(*urls, endpoint_url=object_store.url, shard_bytes=SHARD_BYTES)
    store = open_store(made.store.landing, endpoint_url=object_store.url)
    with runner.session(made) as night:
        for one in nights()[:3]:
            land(store, one.files)
            _run(night, one.dump_date)
        land(store, _hostile())
        _run(night, HOSTILE)
    return made


@pytest.fixture(scope="module")
def corpus(settings: Settings) -> Iterator[Corpus]:
    """Open the corpus of those nights."""
    with runner.corpus_session(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all pages."""
    with chromium() as started:
        yield started


def _run(night: runner.Night, date: str) -> None:
    assert list(runner.run_night(night, date, f"of-{date}"))
    assert night.report(date, f"of-{date}")["report"].endswith(layout.report(date, f"of-{date}"))


def _hostile() -> Iterator[tuple[str, bytes]]:
    """Return texts that try to become markup, with copies, broken lines and hostile names."""
    for source in ("plain", "<img src=x onerror=hit()>", '"onload=hit() x="', "a'b&c"):
        rows = []
        for at, payload in enumerate(PAYLOADS):
            words = " ".join(f"word{at}x{number}" for number in range(80))
            ending = f" {payload} {source}" if at % 2 else ""
            text = f"{payload} {words} {payload}{ending}"
            rows.append(json.dumps({"id": payload, "title": payload, "text": text, "url": payload}))
        rows += [f"{{not json {payload}" for payload in PAYLOADS]
        yield f"{source}/{HOSTILE}/{source[:6]}.jsonl", "\n".join(rows).encode(errors="replace")


def _page(corpus: Corpus, date: str) -> str:
    return corpus.store.get(layout.report(date, f"of-{date}"))[0].decode()


class _Tags(HTMLParser):
    """Every element, attribute and text of a page, as a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_the_page_says_what_the_row_says(corpus: Corpus) -> None:
    """Every number of the funnel is that of the run's row in `runs`."""
    date = nights()[2].dump_date
    text = _Tags(_page(corpus, date)).text
    (row,) = run_rows(corpus, f"of-{date}")
    segments = row["documents"] + row["furniture"] + row["quarantine"]
    assert f"{row['chars']:,} characters decoded" in text
    assert f"landed in {row['files']} files" in text
    assert f"{segments:,} segments" in text
    assert f"{row['documents']:,} documents" in text
    assert f"−{row['dropped_exact']:,} exact duplicates" in text
    assert f"−{row['dropped_near']:,} near duplicates" in text
    assert f"{row['kept']:,} published" in text
    assert min(row["dropped_exact"], row["dropped_near"]) > 0


def test_the_parts_of_the_page_add_up_to_the_row(corpus: Corpus) -> None:
    """Sources, reasons, languages and topics are other views of the same documents and spans."""
    date = nights()[2].dump_date
    (row,) = run_rows(corpus, f"of-{date}")
    found = gather(corpus, date, row)
    assert sum(one.documents for one in found.sources) == row["documents"]
    assert sum(one.history for one in found.sources) == row["dropped_history"]
    assert sum(one.kept for one in found.sources) == row["kept"]
    assert sum(one.bytes for one in found.sources) == row["bytes"]
    for kind in ("furniture", "quarantine"):
        assert sum(one.spans for one in found.reasons if one.kind == kind) == row[kind]
    assert sum(found.night.languages.values()) == row["kept"] == sum(found.night.topics.values())
    assert [one.dump_date for one in found.before] == sorted(n.dump_date for n in nights()[:2])


def test_a_cluster_shows_both_texts_and_marks_what_differs(corpus: Corpus) -> None:
    """Each cluster counts its copies; marked pieces are in one text and not in the other."""
    date = nights()[2].dump_date
    (row,) = run_rows(corpus, f"of-{date}")
    found = gather(corpus, date, row).clusters
    assert [one.documents for one in found] == sorted(
        (one.documents for one in found), reverse=True
    )
    near = [one for one in found if one.exact < one.documents]
    assert near
    for one in near:
        left, right = (_words(side.pieces, alone=False) for side in (one.witness, one.copy))
        assert left == right
        assert _words(one.witness.pieces, alone=True) != _words(one.copy.pieces, alone=True)
    page = _page(corpus, date)
    assert all(one.witness.document_id in page and one.copy.document_id in page for one in found)


def _words(pieces: tuple[tuple[bool, str], ...], *, alone: bool) -> list[str]:
    return " ".join(text for own, text in pieces if own == alone).split()


def test_quarantine_is_shown_by_reason_with_its_excerpt(corpus: Corpus) -> None:
    """A broken line stands on the page under its reason, with file and line."""
    (row,) = run_rows(corpus, f"of-{HOSTILE}")
    found = gather(corpus, HOSTILE, row).reasons
    quarantined = [one for one in found if one.kind == "quarantine"]
    assert quarantined
    assert all(1 <= len(one.samples) <= 3 for one in quarantined)
    text = _Tags(_page(corpus, HOSTILE)).text
    for one in quarantined:
        assert f"{one.reason} quarantine {one.spans:,}" in text
    assert "{not json <script>hit()</script>" in text


def test_the_times_are_those_of_the_run_and_are_recorded_once(
    corpus: Corpus, settings: Settings
) -> None:
    """Each task leaves one record; doing it again, which takes no time, does not change it."""
    date = nights()[0].dump_date
    place = layout.tasks(date, f"of-{date}")
    before = {info.key: corpus.store.get(info.key)[0] for info in corpus.store.list(place)}
    records = [corpus.load(key, TaskRecord) for key in before]
    stages = {"plan", "ingest", "match", "decide", "annotate", "route", "publish", "commit"}
    stages |= {"promote"}
    assert {one.stage for one in records} == stages
    (row,) = run_rows(corpus, f"of-{date}")
    assert sum(one.counts["bytes"] for one in records if one.stage == "ingest") == row["bytes"]
    assert all(one.seconds >= 0 and one.peak_rss_bytes > 1 << 20 for one in records)
    ingest = next(one for one in stages_of(records) if one.stage == "ingest")
    assert ingest.received >= row["bytes"]
    assert ingest.requests["get"] >= row["files"]
    assert ingest.sent > 0
    with runner.session(settings) as night:
        night.ingest(date, f"of-{date}", 0)
    assert {key: corpus.store.get(key)[0] for key in before} == before


def test_a_night_is_estimated_by_the_nights_before(
    corpus: Corpus, settings: Settings, tmp_path: Path
) -> None:
    """Of a night that has landed the tasks are those that its run had; `--json` says it all."""
    date = nights()[0].dump_date
    (tmp_path / "winnow.toml").write_text(
        f'[store]\nlanding = "{settings.store.landing}"\ncorpus = "{settings.store.corpus}"\n'
        f'endpoint_url = "{settings.store.endpoint_url}"\n[plan]\n'
        f"shard_bytes = {settings.plan.shard_bytes}\nrange_bytes = {settings.plan.range_bytes}\n"
    )
    asked = ["--config", str(tmp_path / "winnow.toml"), "plan", "--estimate", "--dump-date", date]
    said = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert "medians of 4 nights of this corpus" in said["source"]
    done = {one.stage: one.tasks for one in stages_of(records_of(corpus, date, f"of-{date}"))}
    expected = {step["stage"]: step["tasks"] for step in said["steps"]}
    assert (expected["ingest"], expected["match"]) == (done["ingest"], done["match"])
    (row,) = run_rows(corpus, f"of-{date}")
    assert said["bytes"] == row["bytes"]
    assert said["documents"] == pytest.approx(row["documents"], rel=0.5)
    told = CliRunner().invoke(cli, asked).output
    assert f"{said['tasks']} tasks" in told


def test_the_page_is_a_function_of_the_run(corpus: Corpus, settings: Settings) -> None:
    """Made again after later nights, it is the same to the byte: it can be lost and made anew."""
    date = nights()[0].dump_date
    before = _page(corpus, date)
    corpus.store.delete([layout.report(date, f"of-{date}")])
    with runner.session(settings) as night:
        night.report(date, f"of-{date}")
    assert _page(corpus, date) == before


def test_a_run_that_changes_nothing_writes_no_page(corpus: Corpus, settings: Settings) -> None:
    """An unchanged night has no row, no page and no records of tasks."""
    date = nights()[0].dump_date
    with runner.session(settings) as night:
        done = dict(runner.run_night(night, date, "again"))
        assert done["commit"]["unchanged"] is True
        assert night.report(date, "again") == {}
    assert list(corpus.store.list(layout.tasks(date, "again"))) == []
    assert corpus.store.stat(layout.report(date, "again")) is None


def test_the_command_line_writes_the_same_page(
    corpus: Corpus, settings: Settings, tmp_path: Path
) -> None:
    """`winnow report RUN --html FILE` writes what the run wrote beside the data."""
    date = nights()[1].dump_date
    target = tmp_path / "page.html"
    flags = ["--corpus", settings.store.corpus, "--endpoint-url", str(settings.store.endpoint_url)]
    done = CliRunner().invoke(cli, [*flags, "report", f"of-{date}", "--html", str(target)])
    assert (done.exit_code, done.output.strip()) == (0, str(target))
    assert target.read_text("utf-8") == _page(corpus, date)


def test_nothing_hostile_becomes_markup(corpus: Corpus) -> None:
    """The hostile night has the elements of an ordinary page, and no attribute of a stranger."""
    usual, hostile = (_Tags(_page(corpus, date)) for date in (nights()[2].dump_date, HOSTILE))
    allowed = {tag for tag, _ in usual.found}
    assert {tag for tag, _ in hostile.found} <= allowed
    assert not allowed & {"script", "img", "iframe", "object", "embed", "link", "base", "form"}
    for tag, attributes in hostile.found:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith("#")
    assert hostile.text.count("<script>hit()</script>") > 2


def test_no_character_hides(corpus: Corpus) -> None:
    """Overrides, zero-width and control characters stand on the page as their numbers."""
    page = _page(corpus, HOSTILE)
    assert not set(page) & set("\x00\x07\x1b\x9b\u202e\u202c\u2066\u2069\u200b\u00ad\ufeff\uffff")
    assert "⟨U+202E⟩gnp.exe" in page


@pytest.mark.parametrize("date", [nights()[2].dump_date, HOSTILE])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_looks_right(
    corpus: Corpus, browser: Browser, *, date: str, width: int, scheme: str
) -> None:
    """On a phone and a desk, by day and by night: nothing sticks out, overlaps or is missing."""
    with _opened(browser, _page(corpus, date), width=width, scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(_STICKS_OUT) == []
        assert page.evaluate(_OVERLAPS) == []
        for figure in page.locator("figure svg").all():
            colours = np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("RGB"))
            assert len(np.unique(colours.reshape(-1, 3), axis=0)) > 8  # drawn, in several colours
        small = page.evaluate(
            "[...document.querySelectorAll('svg text')]"
            ".filter(one => one.getBoundingClientRect().height < 9).map(one => one.textContent)"
        )
        assert small == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_breaks_the_layout(browser: Browser, width: int) -> None:
    """Hostile texts in every place of the page, also where ours stand, do not widen it."""
    for payload in PAYLOADS:
        with _opened(browser, render(report_of(payload, before=30)), width=width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == width, payload


@pytest.mark.parametrize("date", [nights()[2].dump_date, HOSTILE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_the_page(
    corpus: Corpus, browser: Browser, *, date: str, scheme: str
) -> None:
    """Axe finds no violation, with all details open."""
    with _opened(browser, _page(corpus, date), width=360, scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()
        assert len(result.response["passes"]) > 20


def test_no_text_runs_or_asks_for_anything(corpus: Corpus, browser: Browser) -> None:
    """Even without the page's own policy, nothing is run, asked for, or opened."""
    asked: list[str] = []
    with _opened(browser, "<p></p>", width=1280) as page:
        page.add_init_script("window.hit = () => { window.was_hit = true }")
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        page.goto("about:blank")
        page.set_content(_page(corpus, HOSTILE))
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for _ in range(40):
            page.keyboard.press("Tab")
        page.mouse.move(300, 300)
        assert page.evaluate("window.was_hit === undefined")
        assert page.evaluate("document.scripts.length") == 0
        assert page.evaluate("typeof window.hit") == "function"
    assert [url for url in asked if not url.startswith("about:")] == []


class _opened:  # noqa: N801 - reads like the function it is
    """A tab with a page, closed afterwards. Its policy is off, for axe and for the hostile test."""

    def __init__(self, browser: Browser, html: str, *, width: int, scheme: Any = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
        )
        self.page = self.context.new_page()
        self.page.set_content(html)

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.context.close()


def test_an_older_run_without_records_has_a_page(corpus: Corpus) -> None:
    """A row of before schema version 3 has no guards and no self-test, and times may be gone."""
    date = nights()[0].dump_date
    (row,) = run_rows(corpus, f"of-{date}")
    text = _Tags(
        page_of(corpus, date, row | {"guards": None, "self_test": None, "run_id": "x"})
    ).text
    assert "No guard was asked." in text
    assert "This run has no self-test on record." in text
    assert "No times are on record for this run." in text


_STICKS_OUT = """() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.scroll > *, svg *'))
  .filter(one => { const box = one.getBoundingClientRect();
                   return box.width && (box.right > innerWidth + 1 || box.left < -1) })
  .map(one => one.outerHTML.slice(0, 120))"""

_OVERLAPS = """() => {
  const boxes = selector => [...document.querySelectorAll(selector)]
    .filter(one => one.checkVisibility()).map(one => [one, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height);
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5
                      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
  const bad = [];
  for (const group of [boxes('h1,h2,h3,p,dl,nav,li,svg,.scroll,.text,summary,.pill'),
                       boxes('svg text')])
    group.forEach(([one, box], at) => group.slice(at + 1).forEach(([other, next]) => {
      if (!one.contains(other) && !other.contains(one) && meet(box, next))
        bad.push([one.textContent.slice(0, 40), other.textContent.slice(0, 40)]) }));
  return bad }"""
