"""`make up` and `make down`: Airflow and the object store, left running to play with.

Holds: `up`, `down`. Starts and stops process groups noted in `.demo/*.pid`.
Not here: how they are started (`home.py`, `airflow.py`).
"""

from __future__ import annotations

import sys

from demo.airflow import PASSWORD, USER, Airflow, AirflowError
from demo.home import BusyError, Home

_PREFIX = "airflow-"


def up(home: Home) -> None:
    """Start what is not running yet and say where it is."""
    note = home.folder / "airflow.url"
    store = home.start_store()
    if not home.running(f"{_PREFIX}scheduler"):
        print("Airflow       starting (half a minute) …")
        airflow = Airflow(home.airflow, home.settings, triggerer=True)
        try:
            airflow.start()
            airflow.make_ready("winnow_nightly")
        except BaseException:
            airflow.stop()
            raise
        for component, pid in airflow.pids.items():
            home.remember(f"{_PREFIX}{component}", pid)
        note.write_text(airflow.url, "utf-8")
    print(f"Object store  {store}  (buckets landing and corpus)")
    print(f"Airflow       {note.read_text('utf-8')}  ({USER} / {PASSWORD})")
    print("Trigger winnow_nightly with a dump date, or backfill it. Stop: make down")


def down(home: Home) -> None:
    """Stop everything that is noted as running."""
    for name in home.names():
        if home.stop(name):
            print(f"Stopped {name}")


if __name__ == "__main__":
    home = Home()
    try:
        with home.alone():
            {"up": up, "down": down}[sys.argv[1]](home)
    except (AirflowError, BusyError) as error:
        sys.exit(str(error))
