"""Which failures Airflow tries again, and how patiently.

Holds: `RETRY_POLICY` and `TASK_DEFAULTS`, the default arguments of every Winnow task.
Reads and writes nothing. Not here: the error tree (`pipeline/errors.py`), which is cut by exactly
this question.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="pipeline.errors.PermanentError",
            action=RetryAction.FAIL,
            reason="Trying again gives the same result; a person must act (see the message).",
        ),
        RetryRule(
            exception="pipeline.errors.TransientError",
            action=RetryAction.RETRY,
            reason="The same call may succeed later.",
        ),
    ]
)
"""Any other exception (a lost worker, a full disk) follows the task's own number of retries."""

TASK_DEFAULTS: dict[str, Any] = {
    "owner": "winnow",
    "retries": 4,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=6),
    # A night without work skips its mapped tasks; what follows them still runs.
    "trigger_rule": "none_failed",
    # Finish a night before starting the next: fewer commits have to rebase.
    "weight_rule": "upstream",
}
