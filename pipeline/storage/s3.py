"""A store in S3 or a server that speaks it.

Holds: `S3Store`, `Limits`. Reads and writes objects; the only module that knows boto3, whose
credentials come from the environment. Not here: what the store's answers mean (`s3_answers.py`),
resuming a broken read (`resume.py`), opening by URL (`open.py`).
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import boto3
import msgspec
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore import exceptions as aws
from botocore.client import Config

from pipeline import errors
from pipeline.model.files import FileRef, ObjectInfo
from pipeline.storage import s3_answers as answers
from pipeline.storage import traffic
from pipeline.storage.resume import Body, DamagedError, ResumingReader, Source
from pipeline.storage.store import several
from pipeline.storage.verify import downloaded, sha256_of, verified

_MB = 1024 * 1024
_PAGE = 1000
_TRANSFER = TransferConfig(
    multipart_threshold=64 * _MB, multipart_chunksize=16 * _MB, max_concurrency=4
)
_COPY = TransferConfig(multipart_threshold=4096 * _MB, multipart_chunksize=512 * _MB)
_ATTEMPT = "attempt"

_CONFIG_ERRORS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.ParamValidationError,
    aws.ProfileNotFound,
    aws.NoRegionError,
)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long the store is waited for. `attempts` is botocore's, `stalls` the reader's."""

    connect_seconds: float = 10
    read_seconds: float = 60
    attempts: int = 6
    stalls: int = 6
    pause: float = 0.2


class S3Store:
    """Objects under a prefix of a bucket."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str = "us-east-1",
        limits: Limits = Limits(),  # noqa: B008  frozen
    ) -> None:
        """Bind to a bucket and prefix; nothing is sent before the first call."""
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint_url = endpoint_url
        self._region = region
        self._limits = limits

    @property
    def url(self) -> str:
        """The bucket and prefix as an S3 URL."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def for_arrow(self) -> dict[str, str]:
        """How libraries that speak to the server themselves reach it; no credentials."""
        options = {"AWS_REGION": self._region}
        if self._endpoint_url:
            plain = str(self._endpoint_url.startswith("http://")).lower()
            options |= {"AWS_ENDPOINT_URL": self._endpoint_url, "AWS_ALLOW_HTTP": plain}
        return options

    def create(self) -> None:
        """Make the bucket unless it is there."""
        with self._translated(""):
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except aws.ClientError as error:
                if _status(error) != 404:
                    raise
                where = {"LocationConstraint": self._region}
                extra = {} if self._region == "us-east-1" else {"CreateBucketConfiguration": where}
                self._client.create_bucket(Bucket=self._bucket, **extra)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield every object under `prefix`, a page at a time."""
        for page in self._pages(Prefix=self._prefix + prefix):
            for item in page.get("Contents", ()):
                yield ObjectInfo(
                    item["Key"].removeprefix(self._prefix),
                    item["Size"],
                    item["ETag"].strip('"'),
                    item["LastModified"].timestamp(),
                )

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of the folders directly under `prefix`."""
        whole = self._prefix + prefix
        for page in self._pages(Prefix=whole, Delimiter="/"):
            for item in page.get("CommonPrefixes", ()):
                yield item["Prefix"][whole.rfind("/") + 1 :].rstrip("/")

    def stat(self, key: str) -> ObjectInfo | None:
        """Return the object's size and ETag, or None."""
        try:
            answer = self._call("head_object", key)
        except errors.MissingError:
            return None
        return ObjectInfo(
            key, answer["ContentLength"], answers.etag(answer), answer["LastModified"].timestamp()
        )

    def open(self, key: str, *, etag: str | None = None, start: int = 0) -> BinaryIO:
        """Open a reader that resumes after failures and checks what it read at the end."""
        return self._open(key, etag, start)[0]

    def get(self, key: str) -> tuple[bytes, str]:
        """Return a small object's bytes and its ETag."""
        reader, etag = self._open(key, None)
        with reader:
            return reader.read(), etag

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Write a small object.

        A conditional put carries a mark of its own, so that one whose answer was lost and which
        was sent again is told from one that another writer was faster than.
        """
        conditions = {"IfNoneMatch": "*"} if if_absent else {}
        if if_match is not None:
            conditions["IfMatch"] = f'"{if_match}"'
        if not conditions:
            return answers.etag(self._call("put_object", key, Body=data))
        mark = {_ATTEMPT: uuid.uuid4().hex}
        try:
            return answers.etag(
                self._call("put_object", key, Body=data, Metadata=mark, **conditions)
            )
        except errors.MissingError as error:
            raise errors.ConflictError(f"{key}: expected ETag {if_match}, found none.") from error
        except errors.ConflictError:
            with suppress(errors.MissingError):
                found = self._call("head_object", key)
                if found["Metadata"] == mark:
                    return answers.etag(found)
            raise

    def put_file(self, key: str, path: Path) -> None:
        """Upload a local file, in parts when it is larger than 64 MB."""
        extra = {"Metadata": {"sha256": sha256_of(path)}}
        with self._translated(key):
            self._client.upload_file(
                str(path), self._bucket, self._prefix + key, ExtraArgs=extra, Config=_TRANSFER
            )

    def fetch(self, ref: FileRef, folder: Path, *, whole: bool = True) -> Path:
        """Download `ref` into `folder` unless it is there; check size and sha256."""
        del whole
        path = folder / ref.sha256
        return verified(path, ref) if path.exists() else downloaded(self.open, ref, path)

    def copy(self, source: str, target: str) -> None:
        """Copy an object on the server."""
        where = {"Bucket": self._bucket, "Key": self._prefix + source}
        with self._translated(source):
            self._client.copy(where, self._bucket, self._prefix + target, Config=_COPY)

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, a thousand at a time."""
        pending = iter(several(keys))
        while batch := [{"Key": self._prefix + key} for key in islice(pending, _PAGE)]:
            with self._translated(batch[0]["Key"]):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True}
                )
            for failure in answer.get("Errors", ()):
                raise errors.TransientError(
                    f"expected {failure['Key']} to be deleted, found {failure['Code']}: "
                    f"{failure.get('Message', '')}. Deleting again is safe."
                )

    @cached_property
    def _client(self) -> Any:
        config = Config(
            connect_timeout=self._limits.connect_seconds,
            read_timeout=self._limits.read_seconds,
            retries={"mode": "standard", "total_max_attempts": self._limits.attempts},
            max_pool_connections=32,
            s3={"addressing_style": "path" if self._endpoint_url else "auto"},
        )
        with self._translated(""):
            client = boto3.session.Session().client(
                "s3", endpoint_url=self._endpoint_url, region_name=self._region, config=config
            )
        client.meta.events.register("before-send.s3", _count)
        return client

    def _call(self, operation: str, key: str, **arguments: Any) -> dict[str, Any]:
        with self._translated(key):
            call = getattr(self._client, operation)
            answer: dict[str, Any] = call(Bucket=self._bucket, Key=self._prefix + key, **arguments)
            return answer

    def _pages(self, **arguments: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, **arguments
        )
        with self._translated(""):
            yield from pages

    def _open(self, key: str, etag: str | None, start: int = 0) -> tuple[BinaryIO, str]:
        condition = {"IfMatch": f'"{etag}"'} if etag else {}
        answer = self._reading(key, **condition, **answers.since(start))
        found = answers.etag(answer)
        source = Source(
            name=f"{self.url}/{key}",
            size=start + answer["ContentLength"],
            md5="" if start else answers.md5(answer),
            start=start,
            open_at=partial(self._body_at, key, found),
        )
        limits, body = self._limits, self._body(key, answer)
        raw = ResumingReader(source, body, attempts=limits.stalls, pause=limits.pause)
        return cast("BinaryIO", io.BufferedReader(raw, _MB)), found

    def _body_at(self, key: str, etag: str, position: int) -> Body:
        return self._body(key, self._reading(key, IfMatch=f'"{etag}"', **answers.since(position)))

    def _body(self, key: str, answer: dict[str, Any]) -> Body:
        return _Body(answer["Body"], partial(self._translated, key))

    def _reading(self, key: str, **arguments: str) -> dict[str, Any]:
        try:
            return self._call("get_object", key, **arguments)
        except errors.ConflictError as error:
            raise errors.ChangedError(
                f"{key}: expected ETag {arguments.get('IfMatch')}, found another. The object was "
                "replaced after it was planned; run the dump again."
            ) from error

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn what botocore raises into what the operator must do (see `pipeline/errors.py`)."""
        name = f"{self.url}/{key}".rstrip("/")
        try:
            yield
        except aws.ClientError as error:
            raise _refusal(name, error) from error
        except Boto3Error as error:
            cause = error.__cause__ or error.__context__
            if not isinstance(cause, aws.ClientError):
                raise answers.unreachable(name, error) from error
            raise _refusal(name, cause) from error
        except _CONFIG_ERRORS as error:
            raise errors.ConfigError(
                f"{name}: the request could not be made: {error}. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY (or a profile or role) and check the store's settings."
            ) from error
        except (aws.BotoCoreError, OSError) as error:
            raise answers.unreachable(name, error) from error


class _Body:
    """The body of one answer, with its errors translated."""

    def __init__(self, stream: Any, translated: Callable[[], AbstractContextManager[None]]) -> None:
        self._stream = stream
        self._translated = translated

    def read(self, size: int) -> bytes:
        with self._translated():
            try:
                chunk: bytes = self._stream.read(size)
            except aws.FlexibleChecksumError as error:
                raise DamagedError from error
            traffic.received(len(chunk))
            return chunk

    def close(self) -> None:
        self._stream.close()


def _count(request: Any, event_name: str, **_: Any) -> None:
    """Count a request; botocore calls this before each try."""
    headers = request.headers
    length = headers.get("X-Amz-Decoded-Content-Length") or headers.get("Content-Length") or 0
    traffic.asked(event_name.rpartition(".")[2], int(length))


def _status(error: aws.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _refusal(name: str, error: aws.ClientError) -> errors.WinnowError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return answers.refusal(name, code, _status(error), detail=str(error))
