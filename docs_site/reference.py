"""The page docs/api.md: below each table of names, the reference that mkdocstrings makes of their docstrings."""

import re

PAGE = "api.md"
_ROW = re.compile(r"^\| `(?P<name>nasgem[\w.]*)` \|")


def listed_names(markdown: str) -> list[str]:
    """Return the dotted names that the tables of the page list, in order."""
    return [row["name"] for line in markdown.splitlines() if (row := _ROW.match(line))]


def with_reference(markdown: str) -> str:
    """Return the page with a directive of mkdocstrings for each name, section by section."""
    sections = re.split(r"(?m)^(?=## )", markdown)
    return "\n".join(section + _directives(section) for section in sections)


def _directives(section: str) -> str:
    return "".join(f"\n::: {name}\n" for name in listed_names(section))
