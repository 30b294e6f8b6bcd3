"""Which failures Airflow tries again, and how patiently.

Holds: `RETRY_POLICY`, `UPLOAD_RETRIES` and `TASK_DEFAULTS`, the arguments of every Winnow task.
Reads and writes nothing. Not here: the error tree (`pipeline/errors.py`), which is cut by exactly
this question.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from winnow_airflow.paging import page_once

RETRY_POLICY = ExceptionRetryPolicy(
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

UPLOAD_RETRIES = 72
"""How often `plan` looks again for a dump that is being uploaded: every 5 minutes for 6 hours."""

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "winnow",
    "retries": 4,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": page_once,
    # A night without work skips its mapped tasks; what follows them still runs.
    "trigger_rule": "none_failed",
    # Finish a night before starting the next: fewer commits have to rebase.
    "weight_rule": "upstream",
}
