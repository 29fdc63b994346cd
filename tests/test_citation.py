"""CITATION.cff is valid in form, and cites the paper as the README does."""

import re
import tomllib
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
CITATION = YAML(typ="safe").load(ROOT / "CITATION.cff")
PAPER = CITATION["preferred-citation"]
REQUIRED = {"cff-version", "message", "title", "authors"}
"""By the schema of CFF 1.2."""


def bibtex() -> dict[str, str]:
    """Return the fields of the README's entry, without braces and line breaks."""
    (entry,) = re.findall(r"```bibtex\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    fields = re.findall(r"(\w+)\s*=\s*\{(.*?)\},?\n(?=\s*\w+\s*=|\})", entry, re.DOTALL)
    return {name: " ".join(value.replace("{", "").replace("}", "").split()) for name, value in fields}


def test_it_has_what_the_format_requires():
    assert CITATION.keys() >= REQUIRED and CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert PAPER["type"] == "conference-paper" and PAPER.keys() >= {"title", "authors"}
    assert all(author.keys() == {"family-names", "given-names"} for author in PAPER["authors"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (CITATION["version"], CITATION["license"]) == (project["version"], project["license"])
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in project["authors"]]


def test_it_cites_the_paper_of_the_readme():
    authors = " and ".join(f"{author['family-names']}, {author['given-names']}" for author in PAPER["authors"])
    found = {
        "title": PAPER["title"],
        "author": authors,
        "booktitle": PAPER["collection-title"],
        "volume": str(PAPER["volume"]),
        "number": str(PAPER["issue"]),
        "pages": f"{PAPER['start']}--{PAPER['end']}",
        "year": str(PAPER["year"]),
        "doi": PAPER["doi"],
    }
    assert found == bibtex()
