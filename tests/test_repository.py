"""What the files of the repository may hold, whatever their language."""

import hashlib
import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_house import offences

ROOT = Path(__file__).parents[1]


def test_tracked_files_name_no_machine_and_no_registry():
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    folders = "|".join(("work", "root", "home", "opt", "tmp", "Users"))
    addresses = "|".join(("py" + r"pi\.org", "python" + "hosted", "index-" + r"url\b"))
    unwanted = re.compile(rf"(?<![\w.~-])/({folders})/\w|{addresses}")
    found = []
    for name in filter(None, names):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" in content or Path(name) == Path(__file__).relative_to(ROOT):
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            if unwanted.search(line):
                found.append(f"{name}:{number} {line.strip()[:80]}")
    offences("no absolute path of a machine, no address of a registry", found)


def test_lock_pins_every_requirement_within_its_bounds():
    lines = [line.split("#")[0].strip() for line in (ROOT / "requirements.lock").read_text().splitlines()]
    pins = {canonicalize_name(pin.name): pin for pin in map(Requirement, filter(None, lines))}
    inexact = [str(pin) for pin in pins.values() if not re.fullmatch(r"==[\w.+!]+", str(pin.specifier))]
    offences("exact pins", inexact)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    optional = project["project"]["optional-dependencies"]["peers"]
    wanted = [*project["project"]["dependencies"], *optional, *project["dependency-groups"]["dev"]]
    found = []
    for requirement in map(Requirement, wanted):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(str(pin.specifier)[2:]):
            found.append(f"{requirement}: the lock has {pin}; run make lock")
    offences("the lock follows pyproject.toml", found)


def test_bundled_data_is_what_its_checksum_says():
    digest, name = (ROOT / "data/raw/SHA256SUMS").read_text().split()
    assert hashlib.sha256((ROOT / "data/raw" / name).read_bytes()).hexdigest() == digest
    assert digest in (ROOT / "data/raw/README.md").read_text()
