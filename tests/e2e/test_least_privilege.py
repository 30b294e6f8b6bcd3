"""The policy in `ops/iam` allows what a corpus needs of S3, on either bucket, and nothing else."""

from __future__ import annotations

import json
import time
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from demo.object_store import ObjectStore
from pipeline import runner
from pipeline.audit import verify
from pipeline.model.settings import Settings
from pipeline.publish import expire
from pipeline.publish.rollback import rollback
from pipeline.storage import s3
from tests.nights import run, settings_for

POLICY = json.loads((Path(__file__).parents[2] / "ops/iam/policy.json").read_text("utf-8"))
BUCKETS = {"least-landing": "LANDING_BUCKET", "least-corpus": "CORPUS_BUCKET"}
ACTIONS = {
    "ListObjectsV2": ["s3:ListBucket"],
    "HeadBucket": ["s3:ListBucket"],
    "GetObject": ["s3:GetObject"],
    "HeadObject": ["s3:GetObject"],
    "PutObject": ["s3:PutObject"],
    "CreateMultipartUpload": ["s3:PutObject"],
    "UploadPart": ["s3:PutObject"],
    "CompleteMultipartUpload": ["s3:PutObject"],
    "AbortMultipartUpload": ["s3:AbortMultipartUpload"],
    "CopyObject": ["s3:GetObject", "s3:PutObject"],
    "DeleteObjects": ["s3:DeleteObject"],
}
"""What AWS asks for, by operation; one that is not here is a KeyError."""

Asked = set[tuple[str, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Note (action, resource) of every request that S3 clients make."""
    found: Asked = set()
    call = BaseClient._make_api_call

    def noted(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        bucket = BUCKETS[arguments["Bucket"]]
        for action in ACTIONS[operation]:
            whole = action == "s3:ListBucket"
            found.add((action, f"arn:aws:s3:::{bucket}" + ("" if whole else "/key")))
        return call(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return found


@pytest.fixture
def settings(object_store: ObjectStore) -> Settings:
    """Two buckets of their own, the landing area with two nights."""
    for bucket in BUCKETS:
        object_store.make_bucket(bucket)
    made = settings_for("s3://least-landing/in", "s3://least-corpus", endpoint_url=object_store.url)
    landing = runner.open_landing(made)
    for at, date in enumerate(("2026-11-20", "2026-11-21")):
        words = " ".join(f"w{at}x{word}" for word in range(60))
        landing.put(f"web/{date}/a.jsonl", json.dumps({"text": words}).encode())
    return made


@pytest.mark.server
def test_all_that_is_asked_of_the_store_is_allowed(
    settings: Settings, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nights, large files, promote, verify, rollback, report and expire; no right is left over."""
    monkeypatch.setattr(s3, "_TRANSFER", s3.TransferConfig(multipart_threshold=1))
    for date in ("2026-11-20", "2026-11-21"):
        run(settings, date, f"run-{date}")
        with runner.session(settings) as night:
            night.report(date, f"run-{date}")
    with runner.session(settings) as night:
        assert list(verify.findings(night.corpus)) == []
        rollback(night.corpus, 1, run_id="back")
        night.bring_in_step(full=True)
        expire.expire(night.corpus, expire.Rule(snapshots=1, days=0.0), now=time.time() + 10)
    allowed = {
        (action, resource)
        for statement in POLICY["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    for action, resource in asked:
        assert any(action == one and fnmatchcase(resource, pattern) for one, pattern in allowed), (
            action,
            resource,
        )
    spare = ("s3:AbortMultipartUpload", "arn:aws:s3:::CORPUS_BUCKET/*")  # when an upload breaks off
    used = {(action, pattern) for action, pattern in allowed for one, resource in asked
            if one == action and fnmatchcase(resource, pattern)}  # fmt: skip
    assert allowed - used == {spare}


def test_nobody_may_change_what_landed() -> None:
    """The landing area belongs to who uploads; and no statement has a wildcard for an action."""
    for statement in POLICY["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        if any("LANDING" in resource for resource in statement["Resource"]):
            assert set(statement["Action"]) <= {"s3:ListBucket", "s3:GetObject"}
