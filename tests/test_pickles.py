"""No code of ours reads or writes a pickle, and the search for them in files finds them."""

import ast
import base64
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from tests.pickles import pickles

ROOT = Path(__file__).parents[1]
MODULES = [path for folder in ("nasgem_core", "tasks", "flows") for path in sorted((ROOT / folder).rglob("*.py"))]
PICKLERS = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def calls(tree: ast.AST, function: str) -> list[ast.Call]:
    """Return the calls of a function of a module, such as torch.load."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == function]


def given(call: ast.Call, name: str) -> object:
    return next((keyword.value.value for keyword in call.keywords if keyword.arg == name), None)


def test_no_module_imports_a_pickler_or_reads_objects():
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not PICKLERS & imported(tree), path
        assert not calls(tree, "torch.save") and not calls(tree, "pd.read_pickle"), path
        assert all(given(call, "weights_only") is True for call in calls(tree, "torch.load")), path
        for name in ("np.load", "np.savez", "np.save", "np.savez_compressed"):
            assert all(given(call, "allow_pickle") is False for call in calls(tree, name)), f"{path}: {name}"


def test_the_walk_sees_what_it_has_to():
    tree = ast.parse("from joblib.x import y\nimport pickle as p\ntorch.load(f, weights_only=False)\nnp.load(f)")
    assert imported(tree) == {"joblib", "pickle"}
    assert given(calls(tree, "torch.load")[0], "weights_only") is False
    assert given(calls(tree, "np.load")[0], "allow_pickle") is None


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickle_is_found(tmp_path, protocol):
    (tmp_path / "record").write_bytes(pickle.dumps(ValueError("reason"), protocol))
    assert pickles(tmp_path) == ["record"] and pickles(tmp_path, besides=["record"]) == []


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_pickle_inside_another_file_is_found(tmp_path, protocol):
    content = pickle.dumps(ValueError("reason"), protocol)
    text = base64.encodebytes(content).decode()
    (tmp_path / "as-text").write_text(json.dumps({"metadata": {"serializer": {"type": "pickle"}}, "result": text}))
    (tmp_path / "inside").write_bytes(b"SQLite format 3\0" + content + b"\0" * 9)
    assert pickles(tmp_path) == ["as-text", "inside"]


def test_other_files_are_none(tmp_path):
    (tmp_path / "random").write_bytes(np.random.default_rng(0).bytes(200_000))
    (tmp_path / "text").write_text('{"type": "nasgem-plain"}')
    assert pickles(tmp_path) == []
