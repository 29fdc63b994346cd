"""The rules of the house, read off the source: who may import whom, what may not stand anywhere, what must be there."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"nasgem_core": 0, "tasks": 1, "flows": 2, "nasgem": 3, "docs_site": 4}
"""A package imports itself and those with a lower number."""
ROOMS = {
    "nasgem_core": {
        "operations": 0,
        "config": 1,
        "cells": 2,
        "kernel": 3,
        "networks": 3,
        "figures": 3,
        "encoders": 4,
        "training": 4,
        "backbones": 4,
        "detection": 5,
        "search": 5,
        "predictors": 6,
        "deployment": 6,
        "benchmarks": 7,
    },
    "tasks": {
        "store": 0,
        "run": 1,
        "stages": 2,
        "mlflow_runs": 2,
        "benchmark": 3,
        "mlflow_registry": 3,
        "deployment": 4,
    },
    "flows": {"runtime": 0, "stages": 1, "project": 2, "cli": 3},
}
"""A room imports itself and those with a lower number."""
LOOSE = {"nasgem_core": -1, "tasks": -1, "flows": 2}
"""Where the modules of a package that are in no room belong in that order."""
STACK = {"prefect", "mlflow", "dvc"}
SLOW_TO_IMPORT = {"torchvision", "torch._dynamo", "triton", "scipy.stats", "scipy.optimize", "sklearn", "mlflow", "dvc"}
"""Takes a second or more: the modules of the stages import these where they use them."""
TESTED_ELSEWHERE = {
    "errors.py": "tests/flows/cli/test_guard.py",
    "config/studies.py": "tests/config/test_search.py",
    "config/transfer.py": "tests/config/test_search.py",
    "figures/cell_layout.py": "tests/figures/test_cell.py",
    "figures/ablation.py": "tests/figures/test_encoder.py",
    "figures/projection.py": "tests/figures/test_surface.py",
    "figures/style.py": "tests/figures/test_image.py",
    # The fused network is held against the plain modules as a whole, operation by operation.
    "networks/columns.py": "tests/networks/test_cell_network.py",
    "networks/convolution_kernels.py": "tests/networks/test_cell_network.py",
    "networks/fused_operations.py": "tests/operations/test_everywhere.py",
    "networks/window_kernels.py": "tests/operations/test_everywhere.py",
    "networks/fused.py": "tests/networks/test_cell_network.py",
    "networks/kernels.py": "tests/networks/test_cell_network.py",
    "networks/normalisation_kernels.py": "tests/networks/test_cell_network.py",
    "operations/builtin/": "tests/operations/test_everywhere.py",
    "training/task.py": "tests/training/test_loop.py",
    "benchmarks/benchmark.py": "tests/benchmarks/test_catalogue.py",
    "predictors/recipe.py": "tests/predictors/test_catalogue.py",
    "predictors/relevances.py": "tests/predictors/test_gp.py",
}
"""Modules and rooms of the core whose tests have another name: "room/module.py" -> "tests/room/test_other.py"."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything that the file imports, inside functions too."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def offences(rule: str, found: list[str]) -> None:
    assert not found, f"{rule}:\n  " + "\n  ".join(found)


def test_packages_import_only_downwards():
    found = []
    for path in sources(*PACKAGES):
        own = PACKAGES[path.relative_to(ROOT).parts[0]]
        for name in imports(path):
            if PACKAGES.get(name.split(".")[0], -1) > own:
                found.append(f"{name_of(path)} imports {name}")
    offences("flows -> tasks -> nasgem_core, never back", found)


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_only_downwards(package: str):
    order, found = ROOMS[package], []
    for path in sources(package):
        own = room_of(name_of(path)[:-3].replace("/", "."))
        for name in imports(path):
            room = room_of(name)
            if name.split(".")[0] == package and room != own and level(package, room) >= level(package, own):
                found.append(f"{name_of(path)} imports {name}")
    assert order.keys() == {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    offences("a room imports only rooms below it", found)


def room_of(module: str) -> str | None:
    """Return the room of a dotted name, None for a module that is in no room."""
    package, *rest = module.split(".")
    return rest[0] if rest and (ROOT / package / rest[0]).is_dir() else None


def level(package: str, room: str | None) -> int:
    return LOOSE[package] if room is None else ROOMS[package][room]


def test_no_import_leads_back():
    graph = networkx.DiGraph()
    modules = {name_of(path)[:-3].replace("/", ".").removesuffix(".__init__"): path for path in sources(*PACKAGES)}
    for module, path in modules.items():
        for name in imports(path):
            target = name if name in modules else name.rpartition(".")[0]
            if target in modules and target != module:
                graph.add_edge(module, target)
    circles = [sorted(group) for group in networkx.strongly_connected_components(graph) if len(group) > 1]
    assert graph.number_of_edges() > 500 and graph.has_edge("flows.search", "flows.runtime.lock")
    offences("no circle, not through an import inside a function either", [" - ".join(group) for group in circles])


@pytest.mark.parametrize("folder", ["nasgem_core", *(f"tests/{room}" for room in ROOMS["nasgem_core"])])
def test_core_and_its_tests_know_nothing_of_the_stack(folder: str):
    unwanted = STACK | ({"yaml", "ruamel", "tomllib"} if folder == "nasgem_core" else {"tasks", "flows"})
    found = [
        f"{name_of(path)} imports {name}"
        for path in sources(folder)
        for name in imports(path)
        if name.split(".")[0] in unwanted
    ]
    offences("the core works alone", found)


def modules_loaded_by(folder: str) -> set[str]:
    """Return the names of all modules that a new process has loaded once it has imported those of a folder."""
    modules = [name_of(path)[:-3].replace("/", ".").removesuffix(".__init__") for path in sources(folder)]
    code = f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert set(modules) <= loaded
    return loaded


def test_importing_the_core_loads_nothing_of_the_stack():
    assert not {name.split(".")[0] for name in modules_loaded_by("nasgem_core")} & STACK


def test_importing_the_stages_loads_nothing_that_only_some_of_them_use():
    assert not modules_loaded_by("flows/stages") & SLOW_TO_IMPORT


def test_core_prints_nothing():
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources("nasgem_core")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    offences("the core returns values and reports through callbacks", found)


def test_init_files_hold_a_docstring_only():
    found = [
        name_of(path)
        for path in sources(*ROOMS)
        if path.name == "__init__.py" and (len(tree_of(path).body) != 1 or not ast.get_docstring(tree_of(path)))
    ]
    offences("no logic in __init__.py", found)


def code_loaders(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of everything in the tree that could run code out of a file that is read."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in {name.split(".")[0] for name in names} & {
                "pickle",
                "cloudpickle",
                "dill",
                "joblib",
                "marshal",
                "shelve",
            }:
                yield node.lineno, name
        elif isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            if call == "torch.load" and any(ast.unparse(word) == "weights_only=True" for word in node.keywords):
                continue
            if call in {"torch.load", "yaml.load", "yaml.unsafe_load", "eval", "exec"} or call.endswith("read_pickle"):
                yield node.lineno, call
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle" and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    yield node.lineno, "allow_pickle"


def test_nothing_that_is_read_can_run_code():
    found = [
        f"{name_of(path)}:{line} {what}"
        for path in sources(*PACKAGES, "benchmarks")
        for line, what in code_loaders(tree_of(path))
    ]
    offences("files are data: JSON, npz, parquet, safetensors", found)


@pytest.mark.parametrize(
    "line",
    ["import pickle", "from joblib import load", "torch.load('x')", "yaml.load(x)", "np.load('x', allow_pickle=True)"],
)
def test_code_loaders_are_seen(line: str):
    assert list(code_loaders(ast.parse(line)))
    safe = "np.load('x', allow_pickle=False); torch.load('x', weights_only=True)"
    assert not list(code_loaders(ast.parse(safe)))


def test_files_are_short_enough_to_read():
    lengths = {name_of(p): len(p.read_text().splitlines()) for p in sources(*PACKAGES, "tests", "benchmarks")}
    offences("at most 300 lines, one subject", [f"{name}: {n} lines" for name, n in lengths.items() if n > 300])


def public_definitions(
    scope: ast.Module | ast.ClassDef,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node)


def test_everything_public_has_a_docstring():
    found = []
    for path in sources(*PACKAGES):
        tree = tree_of(path)
        missing = [node for node in [tree, *public_definitions(tree)] if not ast.get_docstring(node)]
        found += [f"{name_of(path)}: {getattr(node, 'name', 'the module')}" for node in missing]
    offences("a docstring on every public module, class and function", found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_tests(package: str):
    own, found = TESTED_ELSEWHERE if package == "nasgem_core" else {}, []
    tests = Path("tests") if package == "nasgem_core" else Path("tests", package)
    for path in sources(package):
        module = path.relative_to(ROOT / package)
        name = f"test_{module.stem.strip('_')}.py"  # of `__main__` too
        test = own.get(f"{module.parent}/", own.get(str(module), str(tests / module.parent / name)))
        if path.name != "__init__.py" and not (ROOT / test).is_file():
            found.append(f"{package}/{module}: no {test}")
    offences("tests mirror the tree", found)
    stale = [name for name in own if not (ROOT / package / name).exists()]
    offences("exceptions name modules that exist", stale)
