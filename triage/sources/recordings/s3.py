"""Recordings in an S3 bucket.

boto3 is used as it is. Under fsspec there is no way to list from a key on, nor to read a file only
if it is still the one that was listed, and listings are cached.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from triage.errors import Configuration, Transient
from triage.settings import S3Source
from triage.sources.recordings.keys import PAGE
from triage.sources.recordings.store import Entry, Gone, Unreadable

_CHUNK = 1 << 20
_GONE = frozenset({"NoSuchKey", "404", "PreconditionFailed", "412"})
_CREDENTIALS = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken",
        "InvalidTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity",
        "AuthorizationHeaderMalformed", "InvalidClientTokenId", "NotSignedUp", "AccountProblem",
        "400",  # of a HEAD, whose answer has no room for words
    }
)  # fmt: skip
_REFUSED = frozenset({"AccessDenied", "403", "AllAccessDisabled", "Forbidden"})
_PASSING = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted",
     "Throttling", "ThrottlingException", "RequestLimitExceeded", "BadDigest"}
)  # fmt: skip


class S3Bucket:
    """The objects of a bucket below a prefix. See `Store` and `Bucket`."""

    own_clock = False

    def __init__(self, settings: S3Source) -> None:
        self.where = f"s3://{settings.bucket}/{settings.prefix}"
        self._settings = settings
        self._client: Any = None
        self._opened_with: tuple[str, ...] = ()

    @contextmanager
    def session(self) -> Iterator[None]:
        """A client with the keys of now: secret files may have been renewed."""
        with self._faults():
            self._open()
            yield

    def describe(self) -> str:
        """Where the bucket is."""
        return f"at {self._settings.endpoint or f'Amazon, {self._settings.region}'}"

    def pages(self, after: str) -> Iterator[Sequence[Entry]]:
        """All objects whose path is greater than `after`, in their order."""
        asked: dict[str, Any] = {
            "Bucket": self._settings.bucket,
            "Prefix": self._settings.prefix,
            "MaxKeys": min(PAGE, self._settings.sweep_files),
        }
        if after:
            asked["StartAfter"] = self._key(after)
        while True:
            page = self._asked("list_objects_v2", **asked)
            yield [
                self._entry(found["Key"], found["Size"], found["ETag"], found["LastModified"])
                for found in page.get("Contents", ())
                if not found["Key"].endswith("/")
            ]
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def stat(self, path: str) -> Entry | None:
        """The object of a path."""
        try:
            found = self._asked("head_object", Bucket=self._settings.bucket, Key=self._key(path))
        except exceptions.ClientError as error:
            # Without the right to list, what is not there is refused.
            if _code(error) in _GONE | {"403"}:
                return None
            raise
        size, tag = found["ContentLength"], found["ETag"]
        return self._entry(self._key(path), size, tag, found["LastModified"])

    def fetch(self, entry: Entry, aside: Path) -> Path:
        """A copy of the very version that was listed, whole."""
        with self._faults():
            self._copy(entry, aside)
        return aside

    @property
    def _name(self) -> str:
        return f"source {self._settings.name!r}: {self.where}"

    def _key(self, path: str) -> str:
        return self._settings.prefix + path

    def _entry(self, key: str, size: int, tag: str, changed: Any) -> Entry:
        path = key.removeprefix(self._settings.prefix)
        return Entry(path, size, int(changed.timestamp()) * 10**9, tag.strip('"'))

    def _copy(self, entry: Entry, aside: Path) -> None:
        try:
            found = self._asked(
                "get_object",
                Bucket=self._settings.bucket,
                Key=self._key(entry.path),
                **({"IfMatch": f'"{entry.tag}"'} if entry.tag else {}),
            )
        except exceptions.ClientError as error:
            if _code(error) in _GONE:
                raise Gone from None
            if _code(error) in _REFUSED | {"InvalidObjectState"}:
                raise Unreadable(_said(error)) from error
            raise
        size, changed = found["ContentLength"], found["LastModified"]
        listed = self._entry(self._key(entry.path), size, found["ETag"], changed)
        if listed.revision != entry.revision:
            raise Gone
        size = 0
        with aside.open("wb") as local:
            for chunk in found["Body"].iter_chunks(_CHUNK):
                local.write(chunk)
                size += len(chunk)
        if size != entry.size:
            raise Transient(f"{self._name}: {entry.key} ended after {size} of {entry.size} bytes")

    def _asked(self, operation: str, **values: Any) -> Any:
        """What the server answers. Keys that hold for a while may end at any moment: where they are
        refused and others are in their files by now, it is asked again with those.
        """
        try:
            return getattr(self._client, operation)(**values)
        except exceptions.ClientError as error:
            before = self._opened_with
            if _code(error) not in _CREDENTIALS | {"403"} or before == self._keys():
                raise
            self._open()
            return getattr(self._client, operation)(**values)

    def _keys(self) -> tuple[str, str, str]:
        """The keys that are set now; empty where they are found elsewhere."""
        return (self._settings.key_id, self._settings.secret, self._settings.token)

    def _open(self) -> None:
        settings = self._settings
        keys = self._keys()
        if self._client is not None and self._opened_with == keys:
            return
        given = {"aws_access_key_id": keys[0], "aws_secret_access_key": keys[1]}
        if keys[2]:
            given["aws_session_token"] = keys[2]
        session = boto3.session.Session(
            profile_name=settings.profile or None, **(given if keys[0] else {})
        )
        self._client = session.client(
            "s3",
            region_name=settings.region,
            endpoint_url=settings.endpoint or None,
            verify=str(settings.ca_file) if settings.ca_file else None,
            config=Config(
                connect_timeout=settings.timeout,
                read_timeout=settings.timeout,
                retries={"mode": "standard", "max_attempts": 3},
                # Names of buckets as parts of host names are Amazon's habit.
                s3={"addressing_style": "path" if settings.endpoint else "auto"},
            ),
        )
        self._opened_with = keys

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What goes wrong on the way, in words."""
        try:
            yield
        except exceptions.ClientError as error:
            raise self._refusal(error) from error
        except (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.ProfileNotFound,
            exceptions.TokenRetrievalError,
            exceptions.UnauthorizedSSOTokenError,
        ) as error:
            self._client = None
            raise Configuration(
                f"{self._name}: no keys to use: {error}; set access_key and secret_key_file, or "
                "profile"
            ) from error
        except exceptions.SSLError as error:
            raise Configuration(
                f"{self._name}: the server's certificate is not trusted: {error}; set ca_file "
                "where the authority is your own"
            ) from error
        except (exceptions.BotoCoreError, OSError) as error:
            raise Transient(f"{self._name}: {error or type(error).__name__}") from error

    def _refusal(self, error: exceptions.ClientError) -> Configuration | Transient:
        """What the server's answer means for the whole source."""
        code, said = _code(error), _said(error)
        if code in _CREDENTIALS:
            self._client = None  # keys that were found elsewhere are looked for again
            return Configuration(
                f"{self._name}: the keys are not accepted ({said}): they are wrong, expired or "
                "withdrawn. Renew them; the source goes on by itself"
            )
        if code in _REFUSED:
            self._client = None
            return Configuration(
                f"{self._name}: access denied ({said}): the keys need the rights to list the "
                "bucket and to read its objects"
            )
        if code in {"NoSuchBucket", "InvalidBucketName", "PermanentRedirect"}:
            return Configuration(f"{self._name}: {said}; correct bucket, region or endpoint")
        if code == "RequestTimeTooSkewed":
            return Configuration(f"{self._name}: {said}; set this machine's clock")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _PASSING or status >= 500:
            return Transient(f"{self._name}: {said}")
        return Configuration(f"{self._name}: {said}")


def _code(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _said(error: exceptions.ClientError) -> str:
    found = error.response.get("Error", {})
    return ": ".join(filter(None, (str(found.get("Code", "")), str(found.get("Message", "")))))
