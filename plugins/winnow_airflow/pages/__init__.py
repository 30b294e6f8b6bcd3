"""The pages of Winnow in Airflow: what is there, why, and what a person may do about it.

Holds: nothing of its own. `app.py` has the application, `looking.py` the pages to read, `acting.py`
those that start a run, `rendering.py` how they are written, `calendar.py` the months.
Not here: the facts themselves (`pipeline/audit/`, `pipeline/report/`), the work (`dags/`).
"""
