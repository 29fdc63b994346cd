"""The folder of records: each is written whole or not at all, and bound to its name, which is its key."""

import hashlib
from pathlib import Path
from typing import Any

from prefect.filesystems import LocalFileSystem

from nasgem_core.errors import DataError
from nasgem_core.files import written_whole
from tasks.store.mirror import send_record
from tasks.store.unkept_record import UnkeptRecordError

RECORDS = Path(".nasgem") / "prefect" / "storage"
"""In the repository, wherever the user's own settings of Prefect would keep results."""

_DIGEST_SIZE = 16


class RecordFolder(LocalFileSystem):
    """Prefect's storage of results, as files of one folder whose first line is a checksum of name and content.

    Prefect writes into a file that is there already, so a killed process would leave half a record; and a record under
    another's name would be read as that one.
    """

    _block_type_name = "Nasgem records"

    def _resolve_path(self, path: str) -> Path:
        folder = RECORDS.resolve()
        resolved = (folder / (path or "")).resolve()
        if folder not in (resolved, resolved.parent):
            raise ValueError(f"a record is kept in {RECORDS}, not at {path}")
        return resolved

    def write_path(self, path: str, content: bytes, **options: Any) -> str:  # type: ignore[override]
        """Write the record of a key; raises `UnkeptRecordError`, which Prefect lets through, if that fails."""
        resolved = self._resolve_path(path)
        try:
            with written_whole(resolved) as file:
                file.write(f"{_checksum(resolved.name, content)}\n".encode() + content)
        except OSError as error:
            raise UnkeptRecordError(error.errno, error.strerror or str(error), str(resolved)) from error
        send_record(resolved)
        return str(resolved)

    def read_path(self, path: str, **options: Any) -> bytes:  # type: ignore[override]
        """Read the record of a key; raises `DataError` where it is truncated, altered or that of another key."""
        resolved = self._resolve_path(path)
        record = resolved.read_bytes()
        if not is_whole_record(resolved.name, record):
            raise DataError(f"{resolved} is truncated, altered or the record of another key")
        return record.partition(b"\n")[2]

    async def awrite_path(self, path: str, content: bytes) -> str:
        """Do the same for callers that wait for a coroutine."""
        return self.write_path(path, content)

    async def aread_path(self, path: str) -> bytes:
        """Do the same for callers that wait for a coroutine."""
        return self.read_path(path)


def is_whole_record(key: str, record: bytes) -> bool:
    """Say whether bytes are the record of a key, as it was written."""
    checksum, _, content = record.partition(b"\n")
    return checksum == _checksum(key, content).encode()


def _checksum(key: str, content: bytes) -> str:
    return hashlib.blake2b(key.encode() + b"\0" + content, digest_size=_DIGEST_SIZE).hexdigest()
