"""The name under which Airflow records where a task ran: the service's, as a container has it."""

from __future__ import annotations

import os


def own() -> str:
    """Return the name of the service that this process belongs to."""
    return os.environ["TEST_SERVICE"]
