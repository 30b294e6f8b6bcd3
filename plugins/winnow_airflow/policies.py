"""Which failures Airflow tries again, and how patiently.

Holds: `RETRY_POLICY`, `UPLOAD_RETRIES`, the pools, and `TASK_DEFAULTS`, the arguments of every
Winnow task. Reads and writes nothing. Not here: the error tree (`pipeline/errors.py`), which is cut
by exactly this question.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.definitions.retry_policy import RetryDecision

from winnow_airflow.metrics import count_failure
from winnow_airflow.paging import page_once

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)


class Patience(ExceptionRetryPolicy):
    """The rules by error family; pauses that no rule names double, and differ by chance.

    Airflow's own jitter is the same for all instances of a mapped task: a store that was down for a
    minute would be asked by a hundred shards in the same second.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """Decide as the rules do; between half and all of the pause that the try has earned."""
        said = super().evaluate(exception, try_number, max_tries, context)
        if said.action is not RetryAction.RETRY or said.retry_delay is not None:
            return said
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(try_number - 1, 16))
        chance = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        return RetryDecision.retry(pause * chance, said.reason)


RETRY_POLICY = Patience(
    rules=[
        RetryRule(
            exception="pipeline.errors.PermanentError",
            action=RetryAction.FAIL,
            reason="Trying again gives the same result; a person must act (see the message).",
        ),
        RetryRule(
            exception="pipeline.errors.NotReadyError",
            action=RetryAction.RETRY,
            retry_delay=timedelta(minutes=5),
            reason="The dump is still being uploaded.",
        ),
        RetryRule(
            exception="pipeline.errors.TransientError",
            action=RetryAction.RETRY,
            reason="The same call may succeed later.",
        ),
    ]
)
"""Any other exception (a lost worker, a full disk) follows the task's own number of retries."""

COMMIT_POOL = "winnow_commit"
"""One slot: commits that meet have to rebase, so let them queue."""

LANDING_POOL = "winnow_landing"
"""Tasks that read dump files: as many at once as the store where they land may be asked by."""

UPLOAD_RETRIES = 72
"""How often `plan` looks again for a dump that is being uploaded: every 5 minutes for 6 hours."""

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "winnow",
    "retries": 4,
    "retry_delay": FIRST_PAUSE,
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": LONGEST_PAUSE,
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": [count_failure, page_once],
    # A night without work skips its mapped tasks; what follows them still runs.
    "trigger_rule": "none_failed",
    # Finish a night before starting the next: fewer commits have to rebase.
    "weight_rule": "upstream",
}
