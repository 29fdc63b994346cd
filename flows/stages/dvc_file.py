"""What other tools have to know of the stages, made from the catalogue: dvc.yaml, and the stages' lines in .gitignore.

`make dvc` writes both in the repository, where stages depend on files of code. In a project, where the code is an
installed package, they depend on the file that names its version.
"""

import ast
from pathlib import Path

from flows.runtime.code_version import VERSION_FILE
from flows.stages.catalogue import SEARCHED, Stage
from flows.stages.dvc_images import watched_images, with_images
from nasgem_core.files import written_whole
from tasks.stages.headlines import FOLDER as HEADLINES_FOLDER
from tasks.stages.headlines import HEADLINES
from tasks.stages.plots import PLOTS
from tasks.store.fingerprint import source_closure

ROOT = Path(__file__).parents[2]
_BUNDLED = "data/raw"
"""Where the images of data set `proxy` are in the repository."""
_HEADER = """\
# Written by {origin}. The same tasks run here and in
# `nasgem search`, and share one cache; `persist` lets a stage replace its files one by one and atomically, so an
# interrupted run leaves the old ones whole.
stages:
"""
_FOLDERS = "# Folders of the stages\n"
_RECORDING = ("mlflow_runs", "mlflow_registry", "run", "store", "config", "errors", "files")
"""Rooms and modules that read parameters, and store, log, place or show what a stage has made."""
_BY_FILE = "nasgem_core/deployment"
"""Rooms of the core are watched whole, because modules may be found by name; of this one stages use single files."""


def dvc_file() -> str:
    """Return what dvc.yaml has to hold in the repository."""
    header = _HEADER.format(origin="`make dvc` from flows/stages/catalogue.py and the imports of the stages")
    text = header + "".join(_entry(stage, [*sources_of(stage), *stage.inputs]) for stage in SEARCHED.values())
    return with_images(text + PLOTS, "proxy", _BUNDLED)


def project_dvc_file() -> str:
    """Return what dvc.yaml holds in a new project: the bundled images come with the version of the code."""
    header = _HEADER.format(origin="`nasgem init`; `nasgem data add` changes the lines that end in `images of`")
    data = {stage.name: [path for path in stage.inputs if path.startswith("data/")] for stage in SEARCHED.values()}
    return (
        header + "".join(_entry(stage, [str(VERSION_FILE), *data[stage.name]]) for stage in SEARCHED.values()) + PLOTS
    )


def git_ignored(text: str) -> str:
    """Return the text of a .gitignore with the stages' folders at its end."""
    folders = "".join(f"/{stage.folder}/\n" for stage in SEARCHED.values())
    return text.partition(_FOLDERS)[0] + _FOLDERS + folders


def sources_of(stage: Stage) -> list[str]:
    """Return the files and folders of code that a stage's results depend on, sorted."""
    flows, waiting, modules = {stage.module}, [stage.module], set()
    while waiting:
        for name in _imports(waiting.pop()):
            if name.startswith("flows.stages.") and name not in flows:
                flows.add(name)
                waiting.append(name)
            elif name.startswith(("tasks.", "nasgem_core.")) and name.split(".")[1] not in _RECORDING:
                modules |= set(source_closure(name))
    for path in stage.inputs:
        if path.endswith(".py"):
            modules |= set(source_closure(path.removesuffix(".py").replace("/", ".")))
    return sorted({watched for module in flows | modules if (watched := _watched(module))})


def _watched(module: str) -> str | None:
    """Return the file, or the folder, by which a module is watched; packages hold no code of their own."""
    path = Path(*module.split("."))
    if (ROOT / path).is_dir():
        return None
    room = path.parent.as_posix()
    whole = room.startswith("nasgem_core/") and not path.is_relative_to(_BY_FILE)
    return "/".join(path.parts[:2]) if whole else f"{path.as_posix()}.py"


def _imports(module: str) -> set[str]:
    """Return the modules of this repository that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(_path(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if _path(name).is_file()}


def _path(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


def _entry(stage: Stage, inputs: list[str]) -> str:
    deps = [*inputs, *(f"data/{name}" for name in stage.reads)]
    lines = [
        f"  {stage.name}:",
        f"    cmd: nasgem stage {stage.name}",
        f"    params: [{', '.join(stage.parameters)}]",
        "    deps:",
        *(f"      - {dep}" for dep in dict.fromkeys(deps)),
        "    outs:",
        f"      - {stage.folder}: {{persist: true}}",
    ]
    if stage.metrics:
        lines.append(f"      - data/metrics/{stage.name}.json: {{persist: true}}")
    if stage.name in HEADLINES:
        lines += ["    metrics:", f"      - {HEADLINES_FOLDER}/{stage.name}.json: {{persist: true}}"]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    with written_whole(path) as file:
        file.write(text.encode())


def _rewritten(text: str) -> str:
    """Return what takes the place of a dvc.yaml: stages go on to depend on the images that the user has named."""
    written = dvc_file()
    for name, path in watched_images(text).items():
        written = with_images(written, name, path)
    return written


if __name__ == "__main__":
    _write(ROOT / "dvc.yaml", _rewritten((ROOT / "dvc.yaml").read_text(encoding="utf-8")))
    _write(ROOT / ".gitignore", git_ignored((ROOT / ".gitignore").read_text(encoding="utf-8")))
