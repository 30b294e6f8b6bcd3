"""What the answers of an S3 store mean to Winnow.

Holds: `refusal`, `unreachable`, `etag`, `md5`, `since`. Pure; works on codes and plain mappings.
Not here: sending requests (`s3.py`), the tree of errors (`pipeline/errors.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import errors

_TRANSIENT = {"SlowDown", "Throttling", "ThrottlingException", "RequestTimeout", "InternalError"}
_REFUSED = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "AuthorizationHeaderMalformed"}

_MESSAGES = (
    (
        errors.TransientError,
        "the store is overloaded or failing. It is retried; if it stays, check the server",
    ),
    (errors.ConfigError, "expected the bucket to exist, found none. Create it or check the URL"),
    (
        errors.ConfigError,
        "the store refused. Check the credentials, what they may do here, and this machine's clock",
    ),
    (errors.ConflictError, "the object was written by another meanwhile. Read it again"),
    (errors.MissingError, "expected an object, found none"),
    (errors.ChangedError, "expected more bytes, found the object shortened. Run the dump again"),
    (errors.InputError, "the store cannot do this"),
)


def refusal(name: str, code: str, status: int, *, detail: str = "") -> errors.WinnowError:
    """Translate an answer that says no.

    Args:
        name: the object or store that was asked for.
        code: S3's error code.
        status: the HTTP status.
        detail: the store's own words, told when the code is not one of the usual ones.
    """
    cases = (
        status == 429 or status >= 500 or code in _TRANSIENT,
        code == "NoSuchBucket",
        status in {401, 403} or code in _REFUSED,
        status in {409, 412},
        status == 404,
        status == 416,
        True,
    )
    kind, meaning = _MESSAGES[cases.index(True)]
    words = f": {detail}" if kind is errors.InputError and detail else ""
    return kind(f"{name}: {meaning} ({status} {code}){words}.")


def unreachable(name: str, error: Exception) -> errors.TransientError:
    """Translate a failure to reach the store or to hear it out."""
    return errors.TransientError(
        f"{name}: the store could not be reached: {error}. It is retried; if it stays, check "
        "the endpoint URL and the network."
    )


def etag(answer: Mapping[str, Any]) -> str:
    """Return the ETag without its quotes."""
    return str(answer["ETag"]).strip('"')


def md5(answer: Mapping[str, Any]) -> str:
    """Return the MD5 that the ETag of a plain object is; empty when it is something else.

    It is not the MD5 for objects in parts (`…-5`) and under customer or KMS keys.
    """
    found = etag(answer)
    keyed = str(answer.get("ServerSideEncryption", "")).startswith("aws:")
    plain = len(found) == 32 and not keyed and "SSECustomerAlgorithm" not in answer
    return found if plain else ""


def since(position: int) -> dict[str, str]:
    """Return the argument that asks for the bytes from `position` on; none for all of them."""
    return {"Range": f"bytes={position}-"} if position else {}
