"""The package as others get it: a wheel, installed without the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nasgem_core.cells.known_blocks import MOBILENET_V2_6
from tests.flows.commands import plain_environment
from tests.flows.workspace import assert_clean

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PACKAGES = ("nasgem", "nasgem_core", "tasks", "flows")
HOMES = {
    **{f"nasgem_core/bundled/profiles/{path.name}": path for path in (ROOT / "profiles").glob("*.yaml")},
    "nasgem_core/bundled/images/cifar10_proxy.npz": ROOT / "data/raw/cifar10_proxy.npz",
    "nasgem_core/bundled/images/README.md": ROOT / "data/raw/README.md",
    "nasgem_core/bundled/tables/nasgem_bench.parquet": ROOT / "data/nasgem_bench/table.parquet",
    **{f"{package}/py.typed": ROOT / package / "py.typed" for package in PACKAGES},
}
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PACKAGES, "profiles"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in ("pyproject.toml", "README.md", "LICENSE", *filter(None, names)):
        if (ROOT / name).exists():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "source" / name, follow_symlinks=not (ROOT / name).is_dir())
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder]
    subprocess.run([*map(str, command), str(folder / "source")], check=True, capture_output=True, text=True)
    (found,) = folder.glob("*.whl")
    return found


def test_everything_that_is_needed_comes_with_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert all(archive.read(name) == path.read_bytes() for name, path in HOMES.items())
        (entry,) = (archive.read(name).decode() for name in names if name.endswith("entry_points.txt"))
    assert entry.split() == ["[console_scripts]", "nasgem", "=", "nasgem.__main__:main"]
    code = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == code | HOMES.keys()


@pytest.mark.nightly
def test_the_installed_package_works_next_to_modules_of_the_user(wheel, tmp_path):
    site, project = tmp_path / "site", tmp_path / "my shop"
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)], check=True)
    environment = {
        **plain_environment(),
        "PYTHONPATH": f".{os.pathsep}{site}",
        "PATH": f"{site}/bin:{os.environ['PATH']}",
    }

    def nasgem(*words: str) -> str:
        command = [str(site / "bin" / "nasgem"), *words]
        folder = project if project.is_dir() else tmp_path
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert_clean(done.stdout + done.stderr)
        return done.stdout + done.stderr

    nasgem("init", "my shop")
    (project / "flows.py").write_text("raise SystemExit('flows.py of the user')\n")
    (project / "tasks").mkdir()
    (project / "tasks" / "__init__.py").write_text("raise SystemExit('tasks of the user')\n")
    (project / "cell.json").write_text(MOBILENET_V2_6.cell.to_json())
    shown = nasgem("show", "cell.json", "--picture", "cell.png")
    assert "dwconv3x3" in shown and "MACs" in shown and (project / "cell.png").is_file()
    nasgem("stage", "pairs")
    assert (project / "data" / "pairs" / "pairs.npz").is_file()
    profile = ["nasgem", "search", "--profile", "no such"]
    done = subprocess.run(profile, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert "known are laptop, own_images, paper, tiny" in done.stderr
    dvc = [sys.executable, "-P", "-m", "dvc", "repro", "--single-item", "pairs"]
    done = subprocess.run(dvc, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "nasgem stage pairs" in done.stdout, done.stderr
    code = "import nasgem, nasgem_core; print(nasgem.Cell.__name__, nasgem_core.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split(maxsplit=1) == ["Cell", f"{site}/nasgem_core/__init__.py\n"]
