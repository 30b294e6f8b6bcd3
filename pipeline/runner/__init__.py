"""A night in one process, or task by task; the only place that knows the order of the stages.

Holds: `session` and `corpus_session` (open the stores), `Night` (the tasks), `run_night` (all of
them in turn), `run_dry` (what they would change).
Not here: Airflow (`plugins/winnow_airflow/`), arguments and printing (`cli/`).
"""

from pipeline.runner.in_turn import run_night
from pipeline.runner.night import Night
from pipeline.runner.sessions import corpus_session, open_landing, session
from pipeline.runner.trial import run_dry

__all__ = ["Night", "corpus_session", "open_landing", "run_dry", "run_night", "session"]
