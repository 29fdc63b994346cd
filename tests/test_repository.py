"""What the files of the repository may hold, whatever their language."""

import configparser
import hashlib
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from tests.test_house import offences

ROOT = Path(__file__).parents[1]
FOLDERS = ("work", "root", "home", "opt", "tmp", "Users")
# In parts, so that this file does not hold them.
HOSTS = ("py" + "pi.org", "python" + "hosted")
OPTION = "index-" + "url"
UNWANTED = re.compile(rf"(?<![\w.~-])/({'|'.join(FOLDERS)})/\w|{'|'.join(map(re.escape, HOSTS))}|{OPTION}\b")


def unwanted_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and beginning of each line with an absolute path of a machine or the address of a registry."""
    for number, line in enumerate(text.splitlines(), 1):
        if UNWANTED.search(line):
            yield number, line.strip()[:80]


def pins_of(lock: str) -> dict[str, Requirement]:
    """Return the requirements of a lock file by name, without its comments and hashes."""
    lines = (re.split(r"#|\\|--hash", line)[0].strip() for line in lock.splitlines())
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, filter(None, lines))}


def inexact(pins: dict[str, Requirement]) -> list[str]:
    return [str(pin) for pin in pins.values() if not re.fullmatch(r"==[\w.+!]+", str(pin.specifier))]


def not_followed(wanted: Iterable[str], pins: dict[str, Requirement]) -> Iterator[str]:
    """Yield the requirements that the lock lacks or pins outside their bounds."""
    for requirement in map(Requirement, wanted):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or not requirement.specifier.contains(str(pin.specifier)[2:]):
            yield f"{requirement}: the lock has {pin}; run make lock"


def test_tracked_files_name_no_machine_and_no_registry():
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    found = []
    for name in filter(None, names):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            found += [f"{name}:{number} {line}" for number, line in unwanted_lines(content.decode("utf-8"))]
    offences("no absolute path of a machine, no address of a registry", found)


@pytest.mark.parametrize(
    "line",
    [
        *(f"{before}/{folder}/someone" for folder in FOLDERS for before in ("", 'open("', "x=", "file://", "PATH=a:")),
        *(f"https://files.{host}/simple" for host in HOSTS),
        f"pip install --{OPTION} https://mirror.example/simple",
        f"{OPTION} = https://mirror.example/simple",
    ],
)
def test_a_path_of_a_machine_and_an_address_of_a_registry_are_found(line: str):
    assert list(unwanted_lines(f"first\n  {line}\nlast")) == [(2, line)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_other_paths_are_no_offence(folder: str):
    lines = ("~/{}/a", "../{}/a", "$HOME-/{}/a", "data/{}/a", "https://host.example/{}/a", "{}/a", "/{}", "/my{}/a")
    assert not list(unwanted_lines("\n".join(line.format(folder) for line in lines)))


def test_lock_pins_every_requirement_within_its_bounds():
    pins = pins_of((ROOT / "requirements.lock").read_text())
    offences("exact pins", inexact(pins))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    optional = project["project"]["optional-dependencies"]["peers"]
    wanted = [*project["project"]["dependencies"], *optional, *project["dependency-groups"]["dev"]]
    offences("the lock follows pyproject.toml", list(not_followed(wanted, pins)))


def without_hash(lock: str) -> list[str]:
    """Return the pins of a lock file that any file would satisfy."""
    blocks = re.split(r"\n(?=\S)", "\n".join(line for line in lock.splitlines() if not line.lstrip().startswith("#")))
    return [
        block.split()[0] for block in blocks if block.strip() and not re.search(r"--hash=sha256:[0-9a-f]{64}\b", block)
    ]


def test_lock_holds_hashes_and_they_are_required():
    offences("each pin has its hashes; run make lock", without_hash((ROOT / "requirements.lock").read_text()))
    makefile = (ROOT / "Makefile").read_text()
    installs = re.findall(r"-m pip install (.*-r .*)", makefile)
    assert len(installs) == 2 and all("--require-hashes" in install for install in installs)
    assert "--generate-hashes" in makefile


def test_a_pin_without_a_hash_is_found():
    hashed = f"numpy==2.1 \\\n    --hash=sha256:{'0' * 64}\n    # via scipy\n"
    assert without_hash(f"# lock\n{hashed}scipy==1.0\n    # via us\n{hashed}") == ["scipy==1.0"]
    assert [str(pin) for pin in pins_of(hashed).values()] == ["numpy==2.1"]


@pytest.mark.parametrize("pin", ["numpy", "numpy>=2", "numpy==2.*", "numpy~=2.1", "numpy==2.1,!=2.2", "numpy<3"])
def test_a_pin_that_is_not_exact_is_found(pin: str):
    pins = pins_of(f"# what is pinned\nexact==1.0.post1+cpu  # via numpy\n{pin}; python_version > '3'\n")
    assert [Requirement(found).name for found in inexact(pins)] == ["numpy"]


def test_a_requirement_that_the_lock_does_not_follow_is_found():
    pins = pins_of("Some_Package==2.1\nother==3.0\n")
    assert not list(not_followed(["some.package>=2,<3", "other"], pins))
    assert list(not_followed(["some-package>=2.2", "other<3", "missing"], pins)) == [
        "some-package>=2.2: the lock has Some_Package==2.1; run make lock",
        "other<3: the lock has other==3.0; run make lock",
        "missing: the lock has None; run make lock",
    ]


def test_bundled_data_is_what_its_checksum_says():
    digest, name = (ROOT / "data/raw/SHA256SUMS").read_text().split()
    assert hashlib.sha256((ROOT / "data/raw" / name).read_bytes()).hexdigest() == digest
    assert digest in (ROOT / "data/raw/README.md").read_text()


def test_the_core_is_tested_on_every_version_of_python_that_is_admitted():
    (job,) = YAML(typ="safe").load(ROOT / ".github/workflows/core.yml")["jobs"].values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    admitted = SpecifierSet(project["requires-python"])
    versions = [f"3.{minor}" for minor in range(8, 30) if f"3.{minor}" in admitted]
    assert job["strategy"]["matrix"]["python"] == versions
    assert job["steps"][-1]["run"] == "make test-core PYTHON=python" and "test-core:" in (ROOT / "Makefile").read_text()


def test_every_dvc_command_keeps_its_cache_of_pickles_in_the_private_folder():
    config = configparser.ConfigParser()
    config.read(ROOT / ".dvc" / "config")
    assert config["core"]["site_cache_dir"] == ".nasgem/dvc"
    makefile = (ROOT / "Makefile").read_text()
    assert "umask 077 && mkdir -p .nasgem/dvc/repo" in makefile
    assert 'config --quiet --local core.site_cache_dir "$(CURDIR)/.nasgem/dvc"' in makefile
