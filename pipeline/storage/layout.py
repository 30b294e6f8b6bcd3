"""Every path of the corpus, and the picture of it.

Holds: the functions that make keys (relative to the corpus URL). Reads and writes nothing.
No other module of Winnow spells a key.

    documents/dump_date=2026-11-21/language=eng/part-00000.parquet   the plain trees that people
    verdicts/dump_date=2026-11-21/part-00000.parquet                 and engines read; whole
    quarantine/dump_date=2026-11-21/part-00000.parquet               leaves, made by `promote`
    runs/dump_date=2026-11-21/run-<id>.parquet
    tombstones/part-00000.parquet                      what was ever taken down
    monthly/documents/month=2026-11/part-00000.parquet   the same rows in few files, if wanted
    reports/dump_date=2026-11-21/run-<id>.html         a page about a run, made from the rest
    datapackage.json                                   what the trees hold, for programs
    store/current.json                                 the pointer: the one mutable object
    store/snapshots/00000012-<hash>.json               commit objects, immutable
    store/states/<dump_date>/<hash>.json               one dump's published state, immutable
    store/plans/<dump_date>/<run_id>.json              frozen plans
    store/tasks/<dump_date>/<run_id>/<stage>-<index>.json   what each task of a run took
    store/tasks/<dump_date>/<run_id>/<stage>-<index>.failed   what a task said that failed
    store/pages/<dump_date>/<run_id>.txt               what was sent to a person about a run
    store/ledger/<dump_date>.json                      what was seen in the landing area, and when
    store/orphans.json                                 data files that `expire` will delete
    store/_delta_log/                                  `store` as a Delta table, if it was made
    store/index.json                                   which merged runs of band keys there are
    store/monthly.json                                 that there is a tree by month
    store/promoted.json                                which states the plain trees show
    store/promoted/<dump_date>.json                    which object of a tree is a copy of what
    store/units/<stage>/<fingerprint>.json             one finished unit's manifest, written last
    store/data/<stage>/<unit fingerprint>/<name>-<sha256 of the bytes>.parquet   data files
    store/probe/<random>                               start-up check of conditional puts, deleted

Data files carry the hash of their bytes in their name: two attempts at a unit either write the same
object twice or two different ones, and only what a manifest names exists for a reader.
"""

from __future__ import annotations

TABLES = ("documents", "verdicts", "quarantine", "runs")
"""The tables that are partitioned by dump date."""
STONES = "tombstones"
"""The one that is not. It stands for a date where the trees are brought in step."""
REPORTS = "reports/"
MONTHLY = "monthly/"

STORE = "store/"
DELTA = "store/_delta_log/"
CURRENT = "store/current.json"
SNAPSHOTS = "store/snapshots/"
STATES = "store/states/"
PLANS = "store/plans/"
TASKS = "store/tasks/"
FAILURE = ".failed"
UNITS = "store/units/"
DATA = "store/data/"
PROMOTED = "store/promoted.json"
PACKAGE = "datapackage.json"
ORPHANS = "store/orphans.json"
INDEX = "store/index.json"
WANTS_MONTHS = "store/monthly.json"
COVER = "part-being-replaced.parquet"
"""Name of an object that makes readers of a leaf fail while several files of it change."""
PROBE = "store/probe/"


def snapshot(sequence: int, digest: str) -> str:
    """Key of the commit object number `sequence`."""
    return f"{SNAPSHOTS}{sequence:08d}-{digest[:16]}.json"


def snapshots_numbered(sequence: int) -> str:
    """Start of the keys of commit objects of that number: one, and any that lost a race."""
    return f"{SNAPSHOTS}{sequence:08d}-"


def first_snapshots() -> str:
    """Start of the keys of commit objects that have no parent."""
    return snapshots_numbered(1)


def names_bytes(key: str, digest: str) -> bool:
    """Say whether the key of an immutable object is that of bytes with this sha256."""
    return digest[:16] in key.rsplit("/", 1)[1]


def state(dump_date: str, digest: str) -> str:
    """Key of one dump's published state."""
    return f"{STATES}{dump_date}/{digest[:16]}.json"


def plan(dump_date: str, run_id: str) -> str:
    """Key of a frozen plan. `run_id` is already safe for a key (see `plan/stage.py`)."""
    return f"{PLANS}{dump_date}/{run_id}.json"


def tasks_of(dump_date: str) -> str:
    """Start of the keys of what is recorded of a night's runs."""
    return f"{TASKS}{dump_date}/"


def tasks(dump_date: str, run_id: str) -> str:
    """Start of the keys of what is recorded of a run's tasks."""
    return f"{tasks_of(dump_date)}{run_id}/"


def task_record(dump_date: str, run_id: str, stage: str, index: int) -> str:
    """Key of what is recorded of one task."""
    return f"{tasks(dump_date, run_id)}{stage}-{index:05d}.json"


def task_failure(dump_date: str, run_id: str, stage: str, index: int) -> str:
    """Key of what one task said that failed."""
    return f"{tasks(dump_date, run_id)}{stage}-{index:05d}{FAILURE}"


def page(dump_date: str, run_id: str) -> str:
    """Key of the note that a person was told of a run."""
    return f"store/pages/{dump_date}/{run_id}.txt"


def ledger(dump_date: str) -> str:
    """Key of the ledger of one dump date."""
    return f"store/ledger/{dump_date}.json"


def unit(stage: str, fingerprint: str) -> str:
    """Key of the manifest that commits one unit of a stage."""
    return f"{UNITS}{stage}/{fingerprint}.json"


def data(stage: str, fingerprint: str, name: str, digest: str, suffix: str = "parquet") -> str:
    """Key of a data file, named by the hash of its bytes."""
    return f"{DATA}{stage}/{fingerprint}/{name}-{digest[:16]}.{suffix}"


def tree(table: str, dump_date: str = "", language: str = "") -> str:
    """Folder of a table in the plain tree, ending in `/`."""
    folder = f"{table}/"
    if dump_date:
        folder += f"dump_date={dump_date}/"
    if language:
        folder += f"language={language}/"
    return folder


def month_of(dump_date: str) -> str:
    """Return the month of a dump date, which is a place of its own where trees are in step."""
    return dump_date[:7]


def is_month(place: str) -> bool:
    """Say whether a place of the trees is a month; others are dump dates, and `STONES`."""
    return len(place) == len("2026-11")


def month_tree(table: str, month: str = "") -> str:
    """Folder of a table in the plain tree by month, ending in `/`."""
    return f"{MONTHLY}{table}/" + (f"month={month}/" if month else "")


def promoted(dump_date: str) -> str:
    """Key of what `promote` remembers of one dump's (or month's) objects in the plain trees."""
    return f"store/promoted/{dump_date}.json"


def part(number: int, digest: str = "") -> str:
    """Name of a file inside a leaf of the plain tree; leaves of several files add their hash."""
    return f"part-{number:05d}{'-' + digest[:8] if digest else ''}.parquet"


def unit_of(data_key: str) -> str:
    """Return the unit fingerprint (for `runs`: the run id) in the key of a data file."""
    return data_key.rsplit("/", 2)[1]


def run_file(run_id: str) -> str:
    """Name of a run's file inside a leaf of the `runs` tree."""
    return f"run-{run_id}.parquet"


def report(dump_date: str, run_id: str) -> str:
    """Key of the page about a run."""
    return f"{tree('reports', dump_date)}run-{run_id}.html"


def run_of(report_key: str) -> tuple[str, str]:
    """Return the dump date and the run id in the key of a page about a run."""
    _, folder, name = report_key.split("/")
    return folder.removeprefix("dump_date="), name.removeprefix("run-").removesuffix(".html")
