"""Which code a project's results come from: a file that its stages depend on, because the code itself is elsewhere."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from nasgem_core.files import written_whole

VERSION_FILE = Path("nasgem.version")
_CODE = Path(__file__).resolve().parents[2]
_PACKAGES = ("flows", "nasgem", "nasgem_core", "tasks")


def code_files() -> list[Path]:
    """Return the files of our packages, sorted."""
    return [path for package in _PACKAGES for path in sorted((_CODE / package).rglob("*.py"))]


def version_text() -> str:
    """Return the version of the package, and a checksum of its code."""
    digest = hashlib.blake2b(digest_size=8)
    for path in code_files():
        digest.update(f"{path.relative_to(_CODE)}\n".encode() + path.read_bytes())
    return f"nasgem {version('nasgem')}, code {digest.hexdigest()}\n"


def refresh_version_file() -> bool:
    """Write the file of a project again if the package has changed; return whether it has. The repository has none."""
    if not VERSION_FILE.is_file() or VERSION_FILE.read_text(encoding="utf-8") == version_text():
        return False
    with written_whole(VERSION_FILE) as file:
        file.write(version_text().encode())
    return True
