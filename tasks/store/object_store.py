"""Records and checkpoints in an object store, so that another machine reads what this one has done.

Each object is written whole. What is in it is checked as in the folder: a record has its checksum, a checkpoint its
own. Addresses may have passwords in them, which whoever shows a message hides.
"""

import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nasgem_core.errors import NasgemError, ParameterError
from nasgem_core.files import written_whole

STORE = "NASGEM_STORE"
"""Environment variable with the address of the store; without it, there is only the folder."""
RECORDS, CHECKPOINTS = "records", "checkpoints"
"""First parts of the names of objects."""
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}
_PAUSES = (1.0, 4.0)
"""Seconds before a store that failed is asked again."""

R = TypeVar("R")


class Store(Protocol):
    """Objects by name; parts of a name are separated by a slash."""

    def names(self, first: str) -> set[str]:
        """Return the names of all objects whose name begins with a part."""

    def get(self, name: str) -> bytes | None:
        """Return an object, None where there is none."""

    def put(self, name: str, content: bytes) -> None:
        """Write an object, whole or not at all."""


class ObjectStore:
    """Objects below an address that fsspec knows, such as s3://bucket/nasgem or file:///shared/nasgem.

    Args:
        address: where; credentials are taken from the environment, as the protocol's package documents.

    Raises:
        ParameterError: the protocol is unknown, or its package is not installed.
    """

    def __init__(self, address: str) -> None:
        import fsspec

        protocol = address.partition("://")[0]
        if "://" not in address:
            raise ParameterError(
                f"store = {address!r}: must be an address such as s3://bucket/nasgem or file:///folder"
            )
        self.address = address
        try:
            self._files, self._root = fsspec.core.url_to_fs(address, **_options(protocol))
        except (ImportError, ValueError) as error:
            package = _PACKAGES.get(protocol)
            remedy = f"run `pip install {package}`" if package else "use s3://, gs://, abfs:// or file://"
            raise ParameterError(f"store = {self.address!r}: {str(error).splitlines()[0]}: {remedy}") from None
        self._local = protocol in ("file", "local")

    def names(self, first: str) -> set[str]:
        """Return the names of all objects whose name begins with a part; raises `NasgemError` as `put` does."""
        start = len(self._root.rstrip("/")) + 1
        try:
            found = self._try(lambda: self._files.find(f"{self._root}/{first}"))
        except FileNotFoundError:
            return set()
        return {path[start:] for path in found if not path.endswith(".tmp")}

    def get(self, name: str) -> bytes | None:
        """Return an object, None where there is none; raises `NasgemError` as `put` does."""
        try:
            content: bytes = self._try(lambda: self._files.cat_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Write an object; raises `NasgemError` if the store refuses, or does not answer for some time."""
        path = f"{self._root}/{name}"
        if not self._local:
            try:
                self._try(lambda: self._files.pipe_file(path, content))
            except FileNotFoundError as error:  # there is no such bucket
                raise self._unusable(error) from error
            return
        with written_whole(Path(path)) as file:
            file.write(content)

    def _try(self, call: Callable[[], R]) -> R:
        for pause in (*_PAUSES, None):
            try:
                return call()
            except FileNotFoundError:
                raise
            except Exception as error:  # each protocol has errors of its own
                if pause is None or isinstance(error, PermissionError):
                    raise self._unusable(error) from error
                time.sleep(pause)
                self._files.invalidate_cache()
        raise AssertionError("the last attempt returns or raises")

    def _unusable(self, error: Exception) -> NasgemError:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return NasgemError(f"the store at {self.address} cannot be used ({reason})")


def _options(protocol: str) -> dict[str, Any]:
    """Return how a file system is opened: others write too, so its listings must not be kept."""
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if protocol == "s3":
        options["config_kwargs"] = {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 1}}
    return options if protocol not in ("file", "local", "memory") else {}


def object_store() -> ObjectStore | None:
    """Return the store of this process, None where none is set."""
    address = os.environ.get(STORE, "")
    return _opened(address) if address else None


@lru_cache(maxsize=1)
def _opened(address: str) -> ObjectStore:
    return ObjectStore(address)


@lru_cache(maxsize=4)
def _listing(address: str, first: str) -> set[str]:
    return _opened(address).names(first)


def known_names(first: str) -> set[str]:
    """Return the names in the store of this process that it has seen: asked once, because there may be many."""
    return _listing(os.environ[STORE], first)


def require_store() -> None:
    """Raise `NasgemError` if a store is set and cannot be used."""
    if object_store() is not None:
        _listing.cache_clear()
        known_names(RECORDS)
