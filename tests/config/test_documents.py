import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.cells.cell import Cell
from nasgem_core.config.checked_fields import bounded, choice, optional
from nasgem_core.config.documents import DocumentKind, read_fields, shown
from nasgem_core.config.search import SearchConfig, read_config
from nasgem_core.deployment.card import NetworkCard
from nasgem_core.detection.spec import DetectorSpec
from nasgem_core.errors import CellError, DataError, NasgemError, ParameterError
from tests.config.hostile import DEEP, VALUES, changed, places
from tests.deployment.detectors import detector_spec
from tests.deployment.networks import card, gemnet_spec


@dataclass(frozen=True)
class Point:
    x: int = bounded(low=0, high=9)
    y: float = bounded(low=0)

    def __post_init__(self) -> None:
        if self.y == self.x:
            raise ParameterError("y equals x")


class Text:
    def __init__(self, value: str) -> None:
        self.value = value

    @classmethod
    def from_dict(cls, document: Any) -> "Text":
        if not isinstance(document, str):
            raise CellError(f"not a text: {document!r}")
        return cls(document)


@dataclass(frozen=True)
class Drawing:
    points: tuple[Point, ...]
    size: tuple[int, int]
    title: Text
    notes: Mapping[str, Any]
    figures: Mapping[str, int | float]
    colour: str = choice("red", "red", "blue")
    tags: tuple[str, ...] = field(default=(), metadata={"may_be_empty": True})
    first: Point = field(default_factory=lambda: Point(1, 2.0))
    shown: bool = optional(True)


@dataclass(frozen=True)
class Sizes:
    sizes: tuple[int, ...] = bounded(low=1, high=9, or_single=True)


def document() -> dict[str, Any]:
    return {
        "points": [{"x": 1, "y": 2}, {"x": 0, "y": 0.5}],
        "size": [3, 4],
        "title": "corners",
        "notes": {"any": [None, "thing"]},
        "figures": {"count": 2, "share": 0.5},
        "colour": "blue",
        "tags": [],
        "first": {"x": 2, "y": 3.5},
    }


def test_values_get_the_form_of_their_fields():
    drawing = read_fields(Drawing, document())
    assert drawing.points == (Point(1, 2.0), Point(0, 0.5)) and type(drawing.points[0].y) is float
    assert (drawing.size, drawing.title.value, drawing.tags, drawing.shown) == ((3, 4), "corners", (), True)
    assert drawing.notes == {"any": [None, "thing"]} and drawing.first == Point(2, 3.5)
    assert drawing.figures == {"count": 2, "share": 0.5} and type(drawing.figures["count"]) is int
    assert not read_fields(Drawing, document() | {"shown": False}).shown


def test_a_single_value_stands_for_a_list_of_it_where_a_field_says_so():
    assert read_fields(Sizes, {"sizes": 3}) == read_fields(Sizes, {"sizes": [3]}) == Sizes((3,))
    for value, message in ((0, r"sizes\[0\] = 0: must lie between 1 and 9"), ([], "at least one value")):
        with pytest.raises(ParameterError, match=message):
            read_fields(Sizes, {"sizes": value})
    with pytest.raises(ParameterError, match=r"size = 3: must be a list of 2 values"):
        read_fields(Drawing, document() | {"size": 3})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": []}, r"points = \[\]: must be a list with at least one value"),
        ({"points": [{"x": 1}]}, r"points\[0\]\.y is missing$"),
        ({"points": [{"x": 10, "y": 1}]}, r"points\[0\]\.x = 10: must lie between 0 and 9"),
        ({"points": [{"x": 1, "y": -1}]}, r"points\[0\]\.y = -1.0: must be at least 0"),
        ({"points": [3]}, r"points\[0\] must be a mapping of names to values, found 3"),
        ({"points": [{"x": 1, "y": 1}]}, "y equals x"),
        ({"points": [{"x": 1, "y": float("inf")}]}, r"points\[0\]\.y = inf: must be a finite number"),
        ({"size": [3]}, r"size = \[3\]: must be a list of 2 values"),
        ({"size": [3, True]}, r"size\[1\] = True: must be of type int"),
        ({"size": "34"}, r"size = '34': must be a list of 2 values"),
        ({"notes": [1]}, r"notes = \[1\]: must be a mapping"),
        ({"notes": {1: 2}}, r"notes = \{1: 2\}: must be a mapping of names"),
        ({"figures": {"a": "b"}}, r"figures\.a = 'b': must be of type int or float"),
        ({"figures": {"a": True}}, r"figures\.a = True: must be of type int or float"),
        ({"colour": "green"}, "colour = 'green': must be one of red, blue"),
        ({"shown": 1}, "shown = 1: must be of type bool"),
        ({"first": None}, "first must be a mapping"),
        ({"more": 1}, "more is unknown: known are points, size, title"),
        ({"colour": "x" * 300}, f"colour = '{'x' * 79}: must"),
    ],
)
def test_a_wrong_value_is_named(change, message):
    with pytest.raises(ParameterError, match=message):
        read_fields(Drawing, document() | change)
    with pytest.raises(DataError, match=rf"^not a drawing: .*{message.removesuffix('$')}.*; draw it again$"):
        KIND.read(Drawing, document() | change)


def test_a_missing_field_may_be_named_with_its_default():
    values = document()
    del values["colour"]
    with pytest.raises(ParameterError, match=r"colour is missing$"):
        read_fields(Drawing, values)
    with pytest.raises(ParameterError, match='colour is missing: add its default, `colour: "red"`'):
        read_fields(Drawing, values, name_defaults=True)
    assert read_fields(Drawing, values, base=read_fields(Drawing, document())).colour == "blue"


KIND = DocumentKind("a drawing", "drawing/1", "draw it again")


def test_a_document_is_of_its_kind():
    assert KIND.fields_of({"schema": "drawing/1", "size": 3}) == {"size": 3}
    for other, found in (({"schema": "drawing/2"}, "'drawing/2'"), ({}, "None"), ([1], "'list'"), (None, "'NoneType'")):
        message = f"^not a drawing: field 'schema' must be 'drawing/1', found {found}; draw it again$"
        with pytest.raises(DataError, match=message):
            KIND.fields_of(other)


def test_errors_of_parts_become_those_of_the_document():
    with pytest.raises(DataError, match=r"^not a drawing: not a text: 3; draw it again$"):
        KIND.read(Drawing, document() | {"title": 3})
    with pytest.raises(CellError, match=r"^not a cell: a is missing$"):
        raise DocumentKind("a cell", "cell/1", error=CellError).refusal("a is missing")


def test_what_is_not_json_is_named():
    assert KIND.parse(b'{"a": 1}') == {"a": 1}
    for text in ("{", b"\xff", ""):
        with pytest.raises(DataError, match=r"^not a drawing: not valid JSON \(.*\); draw it again$"):
            KIND.parse(text)


DOCUMENTS = {
    "cell": (Cell.from_dict, gemnet_spec().cell.to_dict()),
    "network": (NetworkSpec.from_dict, gemnet_spec().to_dict()),
    "card": (NetworkCard.from_dict, json.loads(card(gemnet_spec()).to_json())),
    "detector": (DetectorSpec.from_dict, detector_spec().to_dict()),
    "parameters": (read_config, json.loads(json.dumps(asdict(SearchConfig())))),
}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_senseless_value_anywhere_is_one_kind_of_error(data):
    read, document = DOCUMENTS[data.draw(st.sampled_from(sorted(DOCUMENTS)))]
    place = data.draw(st.sampled_from(list(places(document))))
    with contextlib.suppress(NasgemError):  # some values are in the range of their field
        read(changed(document, place, data.draw(st.sampled_from(VALUES))))


def test_texts_that_python_does_not_hold_are_refused():
    for text in ("[" * 100_000, '{"schema": ' * 100_000, "\0" * 100, b"\xff\xfe", '{"schema": 1, "schema": 2}'):
        for read in (Cell.from_json, NetworkSpec.from_json, NetworkCard.from_json):
            with pytest.raises(NasgemError, match="not valid JSON"):
                read(text)


def test_values_are_shown_in_short():
    assert shown("a" * 200) == repr("a" * 200)[:80] and shown(DEEP * 2).startswith(("[", "a value of type list"))
    assert shown([[DEEP] * 200]) == "a value of type list" or len(shown([[DEEP]])) <= 80
    assert shown(10**5000) == "a value of type int"
