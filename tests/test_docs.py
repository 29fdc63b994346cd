"""The documents say what is there: links, paths, commands, parameters and examples.

Fenced blocks by language: `sh` and `python` are run, page by page and in order, on the results of one tiny search;
of `console` every command, sub-command and option must exist; `bibtex` and blocks without a language are only shown.
"""

import dataclasses
import operator
import os
import re
import shlex
import shutil
import subprocess
import sys
import typing
from functools import cache
from pathlib import Path

import pytest
import typer
import typer.core
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from flows.cli.search_commands import app
from nasgem_core.config.search import SearchConfig
from tasks.run.parameters import load_profile
from tests.flows.commands import shims
from tests.flows.workspace import Workspace

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"sh", "console", "python", "bibtex", ""}
PICTURES = ROOT / "docs" / "images"
ROOMS = ("nasgem_core", "tasks", "flows", "tests", "benchmarks", "profiles", "docs", "data/raw")
SHELL_WORDS = {"source", "export", "cd"}
NASGEM = typing.cast(typing.Any, typer.main.get_command(app)).commands

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@cache
def tokens_of(page: Path) -> list:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path, *languages: str) -> list[str]:
    return [token.content for token in tokens_of(page) if token.type == "fence" and token.info in languages]


def inline(page: Path, kind: str) -> list:
    children = [child for token in tokens_of(page) for child in token.children or []]
    return [child for child in children if child.type == kind]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings as GitHub makes them."""
    tokens = tokens_of(page)
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_page
def test_blocks_have_a_known_language(page: Path):
    assert {token.info for token in tokens_of(page) if token.type == "fence"} <= LANGUAGES


@by_page
def test_links_lead_somewhere(page: Path):
    for link in inline(page, "link_open"):
        target, _, anchor = str(link.attrGet("href")).partition("#")
        if "://" in target:
            continue
        path = page.parent / target if target else page
        assert path.exists(), f"{page.name} links to {target}, which is not there"
        if anchor:
            assert anchor in anchors(path), f"{page.name} links to {target}#{anchor}, but no heading has that name"


@by_page
def test_pictures_are_there_and_described(page: Path):
    for picture in inline(page, "image"):
        path = page.parent / str(picture.attrGet("src"))
        assert path.parent == PICTURES and picture.content
        if PICTURES.is_dir():
            assert path.is_file(), f"{page.name} shows {path.name}, which is not in docs/images"


@by_page
def test_paths_that_are_named_exist(page: Path):
    pattern = re.compile(rf"^({'|'.join(ROOMS)})/[\w./-]+$")
    named = [code.content for code in inline(page, "code_inline") if pattern.match(code.content)]
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"{page.name} names {missing}"


def commands(page: Path) -> list[list[str]]:
    """Return every command of a page as words: of its shell blocks, and those named in the text."""
    lines = [line for block in blocks(page, "sh", "console") for line in block.splitlines() if line.strip()]
    starts = ("nasgem ", "dvc ", "prefect ", "mlflow ", "make ")
    lines += [code.content for code in inline(page, "code_inline") if code.content.startswith(starts)]
    words = [shlex.split(line, comments=True) for line in lines]
    return [[word for word in line if not re.match(r"[A-Z_]+=", word)] for line in words]


def check_nasgem(words: list[str]) -> None:
    if words[0] == "COMMAND":
        return
    assert words[0] in NASGEM, f"nasgem has no command {words[0]!r}"
    command = NASGEM[words[0]]
    if isinstance(command, typer.core.TyperGroup):
        assert words[1] in command.commands, f"nasgem {words[0]} has no command {words[1]!r}"
        command, words = command.commands[words[1]], words[1:]
    context = command.make_context(words[0], words[1:], resilient_parsing=True)
    known = {name for parameter in command.get_params(context) for name in parameter.opts} | {"--help"}
    unknown = {word for word in words if word.startswith("-")} - known
    assert not unknown, f"nasgem {words[0]} has no option {unknown}"


@cache
def help_of(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1", "DVC_NO_ANALYTICS": "1"}
    flag = "-h" if command[0] == "git" else "--help"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shutil.which(command[0], path=path) or command[0], *command[1:], flag],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 129), f"{' '.join(command)} is no command: {done.stderr}"
    return done.stdout + done.stderr


def check_foreign(words: list[str]) -> None:
    """Check sub-commands, which are words in small letters at the start, and options against the command's help."""
    depth = {"prefect": 3, "git": 2, "mlflow": 2}.get(words[0], 2)
    if words[:2] in (["dvc", "remote"], ["dvc", "exp"]):
        depth = 3
    text = help_of(*words[:depth])
    known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", text))
    unknown = {word for word in words[depth:] if word.startswith("-") and word != "--"} - known
    assert not unknown, f"{' '.join(words[:depth])} has no option {unknown}"


@pytest.mark.slow
@by_page
def test_commands_and_options_exist(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in commands(page):
        if words[0] == "nasgem":
            check_nasgem(words[1:])
        elif words[0] == "make":
            assert set(words[1:]) <= targets, f"make has not all of {words[1:]}"
        elif words[0] not in SHELL_WORDS:
            check_foreign(words)


def test_unknown_commands_and_options_are_seen():
    with pytest.raises(AssertionError, match="no command 'find'"):
        check_nasgem(["find"])
    with pytest.raises(AssertionError, match="no option"):
        check_nasgem(["select", "--budget", "10M"])
    with pytest.raises(AssertionError, match="no option"):
        check_foreign(["git", "commit", "--nonsense"])


def parameter_tables() -> dict[str, list[str]]:
    """Return the cells of each row of docs/parameters.md by dotted name."""
    rows, section = {}, ""
    for line in (ROOT / "docs/parameters.md").read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif section and line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            name = cells[0].strip("` ")
            rows[name if name == section else f"{section}.{name}"] = cells
    return rows


def parameter_fields() -> dict[str, dataclasses.Field]:
    found = {}
    for item in dataclasses.fields(SearchConfig):
        kind = typing.get_type_hints(SearchConfig)[item.name]
        parts = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        found |= {f"{item.name}.{part.name}": part for part in parts} or {item.name: item}
    return found


def test_every_parameter_is_described_and_no_other():
    assert set(parameter_tables()) == set(parameter_fields())


@pytest.mark.parametrize("name", sorted(parameter_fields()))
def test_a_parameter_has_its_range(name: str):
    limits, allowed = parameter_fields()[name].metadata, parameter_tables()[name][4]
    if "low" in limits:
        numbers = [float(text.replace(",", "")) for text in re.findall(r"[\d.,]*\d", allowed.split("above")[0])]
        assert numbers == [float(limits["low"]), float(limits["high"])]
    for word in limits.get("allowed", ()):
        assert f"`{word}`" in allowed


@pytest.mark.parametrize(("column", "profile"), [(1, "laptop"), (2, "paper"), (3, "tiny")])
def test_a_profile_has_the_documented_values(column: int, profile: str):
    yaml, config = YAML(typ="safe"), load_profile(ROOT / f"profiles/{profile}.yaml")
    for name, cells in parameter_tables().items():
        documented = yaml.load(cells[column].strip("`"))
        value = operator.attrgetter(name)(config)
        assert value == (tuple(documented) if isinstance(value, tuple) else documented), name


@pytest.fixture(scope="module")
def searched(searched_folder: Workspace, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a folder in which a tiny search has been run, with an environment to activate."""
    workspace = searched_folder.copy(tmp_path_factory.mktemp("docs") / "nasgem").using(prefect_api)
    (workspace.root / ".venv").symlink_to(sys.prefix)
    return workspace


def run(script: str, workspace: Workspace) -> str:
    # What a page activates, too, is the environment with the `nasgem` that begins at once.
    activate = f'source() {{ builtin source "$@"; PATH={shims()}:$PATH; }}; source .venv/bin/activate'
    return workspace.succeed("bash", "-euo", "pipefail", "-c", f"{activate}\n{script}", PYTHONSAFEPATH="1")


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.name)
def test_shell_blocks_run(page: Path, searched: Workspace):
    script = "\n".join(blocks(page, "sh"))
    output = run(script, searched)
    assert ("Data and pipelines are up to date." in output) == ("dvc status" in script)


PRINTED = {"mlops.md": ("metrics.best_score", "Tensor('float32'")}
"""What Python on a page has to print; the other pages assert what they show."""


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_python_blocks_run(page: Path, searched: Workspace, tmp_path: Path):
    script = tmp_path / "page.py"
    script.write_text("\n".join(blocks(page, "python")), encoding="utf-8")
    output = searched.succeed(str(script))
    for expected in PRINTED.get(page.name, ()):
        assert expected in output
