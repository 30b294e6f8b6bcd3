"""The pages of Winnow in a real Airflow: who may see them, who may act, and what they show."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from demo.airflow import PASSWORD, USER, VIEWER, Airflow
from demo.home import Home
from demo.nights import nights
from pipeline import config, runner
from pipeline.audit import status
from pipeline.errors import ChangedError, GuardError
from pipeline.model.settings import GuardSettings, Settings
from pipeline.storage import snapshots
from pipeline.storage.store import Store
from tests.chromium import chromium
from tests.hostile import PAYLOADS
from tests.nights import land
from tests.scheduled import CALM

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.xdist_group("airflow"),
]

HOSTILE, FAILED, GONE = "2026-12-01", "2026-12-02", "2026-12-03"
FIRST, SECOND = nights()[0].dump_date, nights()[1].dump_date
LOOKING = (
    "", f"nights/{FIRST}", f"nights/{FAILED}", "explain", "quarantine", "snapshots", "snapshots/1",
    "takedown"
)  # fmt: skip
SHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the pages, for people to look at."""


class Site:
    """A running Airflow with pages, and a browser."""

    def __init__(self, airflow: Airflow, settings: Settings, browser: Browser) -> None:
        """Wrap what was started."""
        self.airflow = airflow
        self.settings = settings
        self.browser = browser
        self.root = f"{airflow.url}/winnow/"

    def get(self, path: str, user: str | None) -> requests.Response:
        """Ask for a page as a user, or as nobody."""
        return requests.get(self.root + path, headers=self.headers(user), timeout=60)

    def post(self, path: str, user: str | None, **form: Any) -> requests.Response:
        """Send a form as a user; programs say no origin."""
        return requests.post(
            self.root + path, data=form, headers=self.headers(user), timeout=60,
            allow_redirects=False
        )  # fmt: skip

    def headers(self, user: str | None) -> dict[str, str]:
        """Return the header that says who asks."""
        if user is None:
            return {}
        login = {"username": user, "password": PASSWORD if user == USER else VIEWER}
        answer = requests.post(f"{self.airflow.url}/auth/token", json=login, timeout=60)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @contextmanager
    def tab(self, user: str, *, width: int = 1280, **options: Any) -> Iterator[Page]:
        """Open a tab of a user who has logged in through the form."""
        context = self.browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(60_000)
        try:
            yield self._log_in(context, user)
        finally:
            context.close()

    def _log_in(self, context: BrowserContext, user: str) -> Page:
        page = context.new_page()
        page.goto(self.airflow.url)
        page.locator("input[name=username]").fill(user)
        page.locator("input[name=password]").fill(PASSWORD if user == USER else VIEWER)
        page.locator("button[type=submit]").click()
        page.wait_for_url(lambda url: "login" not in url)
        page.wait_for_load_state("networkidle")
        return page

    def corpus(self) -> Any:
        """Open the corpus."""
        return runner.corpus_session(self.settings)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Publish one night and a hostile one, start Airflow and a browser."""
    environment = dict(os.environ)
    home = Home(tmp_path_factory.mktemp("pages"))
    airflow = Airflow(home.airflow, home.settings, environment=CALM)
    try:
        home.start_store()
        settings = config.load(home.settings, environ={})
        config.use_credentials(settings)
        landing = runner.open_landing(settings)
        land(landing, [*nights()[0].files, *nights()[1].files, *_hostile()])
        _fail(settings, landing)
        with runner.session(settings) as night:
            for date in (FIRST, HOSTILE):
                assert list(runner.run_night(night, date, f"of-{date}"))
                night.report(date, f"of-{date}")
        airflow.start()
        airflow.make_ready("winnow_nightly")
        airflow.make_ready("winnow_rollback")
        airflow.make_ready("winnow_takedown")
        with chromium() as browser:
            expect.set_options(timeout=60_000)
            yield Site(airflow, settings, browser)
    finally:
        airflow.stop()
        home.stop("store")
        os.environ.clear()
        os.environ.update(environment)


def _fail(settings: Settings, landing: Store) -> None:
    """Leave runs that failed: one stopped by a guard, one with a page and one without."""
    strict = GuardSettings(quarantine="stop", quarantine_share=0.001)
    with runner.session(msgspec.structs.replace(settings, guard=strict)) as night:
        with pytest.raises(GuardError):
            list(runner.run_night(night, HOSTILE, "stopped"))
        night.report(HOSTILE, "stopped")
        key, line = f"<img src=x onerror=hit()>/{FAILED}/x.jsonl", b'{"text": "whole and sound"}\n'
        land(landing, [(key, line), (key.replace("x.jsonl", "_SUCCESS"), b"")])
        for name in ("mute", "told"):
            tasks = runner.run_night(night, FAILED, name)
            next(tasks)
            line += line
            landing.put(key, line)
            with pytest.raises(ChangedError):
                next(tasks)
        assert night.report(FAILED, "told")["stage"] == "ingest"


def _hostile() -> Iterator[tuple[str, bytes]]:
    """Return texts that try to become markup, with copies and broken lines."""
    rows = []
    for at, payload in enumerate(PAYLOADS):
        words = " ".join(f"word{at}x{number}" for number in range(80))
        for ending in ("", " and one more"):
            row = {"id": payload + ending, "title": payload, "url": payload}
            rows.append(json.dumps(row | {"text": f"{payload} {words} {payload}{ending}"}))
    rows += [f"{{not json {payload}" for payload in PAYLOADS]
    folder = f"<img src=x onerror=hit()>/{HOSTILE}"
    yield f"{folder}/x.jsonl", "\n".join(rows).encode(errors="replace")
    yield f"{folder}/_SUCCESS", b""


@pytest.mark.parametrize("path", [*LOOKING, f"reports/{FIRST}/of-{FIRST}"])
def test_only_who_is_logged_in_may_look(site: Site, path: str) -> None:
    """Nobody's request is refused before anything is read; a reader's is answered."""
    assert site.get(path, None).status_code == 401
    answer = site.get(path, VIEWER)
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"].split("style-src")[0]


def test_only_who_may_trigger_the_dag_may_act(site: Site) -> None:
    """Nobody is refused, a reader too and sees no form, and so is a form of another site."""
    before = site.airflow.call("GET", "/dags/winnow_rollback/dagRuns")["total_entries"]
    form = {"snapshot": 1, "sure": "yes"}
    assert site.post("rollback", None, **form).status_code == 401
    assert site.post("rollback", VIEWER, **form).status_code == 403
    assert "<form" not in site.get("snapshots/1", VIEWER).text
    assert "<form" in site.get("snapshots/1", USER).text
    admin = site.headers(USER)
    for header in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
    ):
        answer = requests.post(
            f"{site.root}rollback", data=form, headers=admin | header, timeout=60
        )
        assert answer.status_code == 403, header
    assert site.post("rollback", USER, snapshot=1).status_code == 422
    assert site.post("rollback", USER, snapshot="one", sure="yes").status_code == 422
    assert site.post("rollback", USER, snapshot=0, sure="yes").status_code == 422
    assert site.airflow.call("GET", "/dags/winnow_rollback/dagRuns")["total_entries"] == before


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("nights/2026-01-01", 404, "expected dump 2026-01-01"),
        ("nights/<script>", 404, "expected a dump date"),
        ("explain?document_id=xyz", 422, "expected a document id"),
        ("explain?document_id=00000000000000000000000000000000", 404, "found none"),
        ("quarantine?dump_date=2026-01-01", 404, "expected dump"),
        ("snapshots/99", 404, "snapshot 99"),
        ("actions/winnow_nightly/any", 404, "expected a run"),
        (f"reports/{FIRST}/other", 404, "a page about run other"),
    ],
)
def test_what_is_not_there_is_said_with_the_next_step(
    site: Site, path: str, code: int, words: str
) -> None:
    """A wrong address is a page that says what was expected, never a stack trace."""
    answer = site.get(path, VIEWER)
    assert answer.status_code == code
    assert words in answer.text
    assert "Traceback" not in answer.text
    assert "<script>" not in answer.text.replace('<script src="/winnow/static/theme.js">', "")


def test_the_calendar_shows_what_is_published_and_what_is_due(site: Site) -> None:
    """Counts are those of the corpus; a night that landed and was not run is due."""
    with site.corpus() as corpus:
        kept = snapshots.load_state(corpus, snapshots.published(corpus), FIRST).counts.kept
    text = site.get("", VIEWER).text
    assert f"{FIRST}: published, {kept:,} of" in text
    assert f"{SECOND}: due" in text


def test_a_night_tells_of_the_runs_that_failed(site: Site) -> None:
    """Each with the stage, what the task said, and its page if it has one; published or not."""
    assert f'href="/winnow/nights/{FAILED}"' in site.get("", VIEWER).text
    html = site.get(f"nights/{FAILED}", VIEWER).text
    assert "Nothing of this night is published" in html
    assert html.count('<span class="pill stop">ingest</span>') == 2
    assert f'href="/winnow/reports/{FAILED}/told"' in html
    assert "mute</td>" in html
    assert f"reports/{FAILED}/mute" not in html
    assert html.count("&lt;img src=x onerror=hit()&gt;") == 4
    page = site.get(f"reports/{FAILED}/told", VIEWER)
    assert "not published: ingest failed" in page.text
    html = site.get(f"nights/{HOSTILE}", VIEWER).text
    assert f'href="/winnow/reports/{HOSTILE}/stopped"' in html
    assert f"{HOSTILE}: quarantine: expected at most 0.001" in html
    assert "Runs that failed" not in site.get(f"nights/{FIRST}", VIEWER).text


def test_a_document_is_explained_with_its_witness_and_what_differs(site: Site) -> None:
    """A near duplicate's page names the witness and marks the words of one text alone."""
    with site.corpus() as corpus:
        state = snapshots.load_state(corpus, snapshots.published(corpus), HOSTILE)
        rows = corpus.read(state.verdicts).to_pylist()
    dropped = next(row for row in rows if row["reason"] == "near")
    html = site.get(f"explain?document_id={dropped['document_id'][:12]}", VIEWER).text
    assert dropped["document_id"] in html
    assert dropped["witness_id"] in html
    assert f"similarity {dropped['similarity']:.3f}" in html
    assert "<ins>" in html or "<del>" in html


def test_a_text_is_compared_with_what_is_published(site: Site) -> None:
    """A published text would be a duplicate; one that nobody wrote would not."""
    with site.corpus() as corpus:
        state = snapshots.load_state(corpus, snapshots.published(corpus), FIRST)
        kept = corpus.read(state.documents[0].files[0], columns=["text"])["text"][0].as_py()
    asked = site.post("explain", VIEWER, text=kept)
    assert "It would not be published" in asked.text
    assert "exact copy of" in asked.text
    asked = site.post("explain", VIEWER, text=" ".join(f"new{number}" for number in range(90)))
    assert "It would be published" in asked.text
    assert site.post("explain", VIEWER, text="").status_code == 422


def test_the_quarantine_is_read_page_by_page(site: Site) -> None:
    """Rows of one reason are those of the table, in its order, and no row is left out."""
    with site.corpus() as corpus:
        state = snapshots.load_state(corpus, snapshots.published(corpus), HOSTILE)
        rows = corpus.read(state.quarantine).to_pylist()
    reason = rows[0]["reason"]
    mine = [row for row in rows if row["reason"] == reason]
    answer = site.get(f"quarantine?dump_date={HOSTILE}&reason={reason}", VIEWER).text
    assert f"{len(mine)} span" in answer
    assert answer.count('<article class="card">') == min(50, len(mine))
    assert "&lt;script&gt;hit()&lt;/script&gt;" in answer
    rest = site.get(f"quarantine?dump_date={HOSTILE}&reason={reason}&start=3", VIEWER).text
    assert rest.count('<article class="card">') == min(50, len(mine) - 3)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_everybody_can_read_the_pages_and_no_text_runs(
    site: Site, *, width: int, scheme: str
) -> None:
    """Axe finds nothing, nothing is wider than the window, no hostile text becomes markup."""
    hostile = (
        f"nights/{HOSTILE}", f"reports/{FAILED}/told", f"quarantine?dump_date={HOSTILE}",
        *_explained(site)
    )  # fmt: skip
    # Axe is a script of ours in the page: its policy would forbid it.
    with site.tab(VIEWER, width=width, color_scheme=scheme, bypass_csp=True) as page:
        page.add_init_script("window.hit = () => { window.was_hit = true }")
        for path in (*LOOKING, *hostile):
            answer = page.goto(site.root + path)
            assert answer is not None
            assert answer.status == 200, path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            result = Axe().run(page)
            assert result.violations_count == 0, (path, result.generate_report())
            assert page.evaluate("window.was_hit === undefined"), path
            assert page.locator("main script, main img, main iframe, main base").count() == 0
            _picture(page, f"{path or 'nights'}-{width}")


def _explained(site: Site) -> list[str]:
    with site.corpus() as corpus:
        state = snapshots.load_state(corpus, snapshots.published(corpus), HOSTILE)
        rows = corpus.read(state.verdicts).to_pylist()
    return [f"explain?document_id={row['document_id']}" for row in rows if not row["kept"]][:4]


@pytest.mark.timeout(900)
def test_a_person_backfills_a_night_and_goes_back_to_the_snapshot_before(site: Site) -> None:
    """Log in, start a backfill in the dialog, see the night appear, and go back to before it."""
    with site.corpus() as corpus:
        before = len(snapshots.published(corpus).dumps)
    with site.tab(USER) as page:
        _backfill(page, site, SECOND)
        frame = _menu(page)
        expect(frame.get_by_label(f"{SECOND}: published")).to_be_visible()
        _picture(page, "in-airflow")
        frame.get_by_label(f"{SECOND}: published").click()
        frame.get_by_role("link", name="report").first.click()
        expect(frame.get_by_role("heading", name=f"Night of {SECOND}")).to_be_visible()
        _picture(page, "report-in-airflow")

        frame = _menu(page)
        frame.get_by_role("link", name="Snapshots").click()
        frame.get_by_role("link", name="go back to it").first.click()
        expect(frame.get_by_role("cell", name=SECOND)).to_be_visible()
        frame.get_by_role("checkbox").check()
        _picture(page, "rollback-in-airflow")
        frame.get_by_role("button", name="Go back").click()
        expect(frame.get_by_role("heading", name="winnow_rollback")).to_be_visible()
        expect(frame.locator("h1 + p .pill")).to_have_text("success", timeout=120_000)
        _picture(page, "progress-in-airflow")
    with site.corpus() as corpus:
        rows = status.snapshot_rows(corpus)
        assert SECOND not in snapshots.published(corpus).dumps
        assert [row["dumps"] for row in rows][:3] == [before, before + 1, before]
        assert not list(corpus.store.list(f"documents/dump_date={SECOND}/"))


@pytest.mark.timeout(600)
def test_a_task_that_failed_says_why_and_leads_to_its_pages(site: Site) -> None:
    """The log has the message with the next step; the buttons lead to how far the run came."""
    landing = runner.open_landing(site.settings)
    files = [(f"odd/{GONE}/{name}.jsonl", b'{"text": "whole and sound"}\n') for name in "ab"]
    land(landing, [*files, (f"odd/{GONE}/_SUCCESS", b"")])
    with runner.session(site.settings) as night:
        assert list(runner.run_night(night, GONE, "first"))
    landing.delete([files[0][0]])
    path, name = "/dags/winnow_nightly/dagRuns", "of-a-deleted-file"
    body = {"logical_date": None, "partition_key": GONE, "dag_run_id": name}
    site.airflow.call("POST", path, json=body)
    deadline = time.monotonic() + 400
    while site.airflow.call("GET", f"{path}/{name}")["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(1)
    with site.tab(VIEWER) as page:
        task = f"{site.airflow.url}/dags/winnow_nightly/runs/{name}/tasks/plan"
        page.goto(task)
        said = f"{GONE}: expected the 2 published dump files, found 1 of them gone"
        expect(page.get_by_text(said).first).to_be_visible()
        _picture(page, "failed-task")
        page.goto(f"{task}/details")
        for button in ("What it did", "Run report"):
            expect(page.get_by_role("link", name=button)).to_be_visible()
        _picture(page, "extra-links")
        address = page.get_by_role("link", name="Run report").get_attribute("href")
        assert address is not None
        page.goto(address)
        expect(page.get_by_text("not published: plan failed")).to_be_visible()
        _picture(page, "report-of-a-failed-run")
        page.goto(f"{site.root}nights/{GONE}")
        expect(page.get_by_role("cell", name=said)).to_be_visible()
        _picture(page, "night-with-a-failed-run")
        page.goto(f"{site.airflow.url}/dags/winnow_nightly/runs/{name}/tasks/plan/details")
        did = page.get_by_role("link", name="What it did").get_attribute("href")
        assert did is not None
        page.goto(did)
        _picture(page, "what-a-failed-task-did")
        expect(page.get_by_text(f"found that it failed: {said}")).to_be_visible()


def test_a_document_is_taken_down_after_a_look(site: Site) -> None:
    """The look changes nothing; the take-down needs a tick; then the document's page names it."""
    with site.corpus() as corpus:
        state = snapshots.load_state(corpus, snapshots.published(corpus), FIRST)
        file = state.documents[0].files[0]
        kept = corpus.read(file, columns=["document_id", "text"]).slice(0, 1).to_pylist()[0]
    form = {"document_ids": kept["document_id"], "reason": "<b>asked by</b> its author"}
    assert site.post("takedown", None, **form).status_code == 401
    assert site.post("takedown", VIEWER, **form).status_code == 403
    assert site.post("takedown", USER, **form, dry_run="no").status_code == 422
    assert site.post("takedown", USER, document_ids="no id", reason="any").status_code == 422
    with site.tab(USER) as page:
        page.goto(f"{site.root}explain?document_id={kept['document_id']}")
        page.get_by_role("link", name="Take it down").click()
        for words, heading in (("Show what would", "Nothing was changed"), ("Take down", "Done")):
            page.goto(f"{site.root}takedown?document_id={kept['document_id']}")
            page.get_by_label("Reason").fill(form["reason"])
            page.get_by_role("checkbox").check()
            page.get_by_role("button", name=words).click()
            expect(page.locator("h1 + p .pill")).to_have_text("success", timeout=180_000)
            expect(page.get_by_role("heading", name=heading)).to_be_visible()
            expect(page.get_by_role("cell", name=kept["document_id"])).to_be_visible()
            _picture(page, f"takedown-{heading}")
        page.goto(f"{site.root}explain?document_id={kept['document_id']}")
        expect(page.get_by_role("heading", name="Taken down")).to_be_visible()
        assert kept["text"][:40] not in page.content()
        page.goto(f"{site.root}takedown")
        expect(page.get_by_role("cell", name=form["reason"])).to_be_visible()
        assert page.locator("main b").count() == 0
    asked = site.post("explain", VIEWER, text=kept["text"])
    assert "it is like a text that was taken down" in asked.text


def _backfill(page: Page, site: Site, date: str) -> None:
    """Fill in Airflow's own dialog, and wait until the night is published."""
    page.goto(f"{site.airflow.url}/dags/winnow_nightly")
    page.get_by_role("button", name="Trigger").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Backfill", exact=True).first.click()
    for _ in ("from", "to"):
        dialog.get_by_text("Select date and time").first.click()
        # On a busy machine the first calendar may still be open; the one just opened is the last.
        page.get_by_placeholder("YYYY/MM/DD").last.fill(date.replace("-", "/"))
        page.get_by_placeholder("YYYY/MM/DD").last.press("Tab")
        page.get_by_placeholder("HH:mm").last.fill("00:00")
        page.get_by_placeholder("HH:mm").last.press("Enter")
        dialog.get_by_text("Date Range").first.click()
    expect(dialog.get_by_text("1 run will be triggered")).to_be_visible()
    _picture(page, "backfill")
    dialog.get_by_role("button", name="Run Backfill").click()
    deadline = time.monotonic() + 500
    runs: list[dict[str, Any]] = []
    while not runs or runs[0]["state"] not in {"success", "failed"}:
        assert time.monotonic() < deadline, runs
        time.sleep(1)
        path = "/dags/winnow_nightly/dagRuns?run_type=backfill"
        runs = site.airflow.call("GET", path)["dag_runs"]
    assert runs[0]["state"] == "success", site.airflow.failure(
        "winnow_nightly", runs[0]["dag_run_id"]
    )
    assert runs[0]["partition_key"] == date


def _menu(page: Page) -> Frame:
    """Open Winnow where Airflow's menu leads to, and return the frame with our page."""
    root = page.url.split("/dags")[0].split("/plugin")[0]
    page.goto(f"{root}/plugin/winnow")
    handle = page.locator("iframe").element_handle()
    assert handle is not None
    frame = handle.content_frame()
    assert frame is not None
    expect(frame.get_by_role("heading", name="Nights")).to_be_visible()
    return frame


def _picture(page: Page, name: str) -> None:
    if SHOTS:
        path = Path(SHOTS) / f"{''.join(c if c.isalnum() else '-' for c in name)[:60]}.png"
        page.screenshot(path=path, full_page=False)
