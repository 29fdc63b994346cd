import pytest

from nasgem_core.json_text import parse_json


def test_texts_and_bytes_are_parsed_with_and_without_a_mark():
    for mark in ("", "\ufeff"):
        text = mark + '{"a": [1, 2.5, null], "b": {"c": "\u732b"}}'
        assert parse_json(text) == parse_json(text.encode()) == {"a": [1, 2.5, None], "b": {"c": "\u732b"}}
    assert parse_json('{"a": {"b": 1}, "c": 2}', sorted) == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is given twice"),
        ("9" * 5000, "digits"),
        (b"\xff\xfe\xff", "decode"),
        (b"\0" * 8, "decode|Expecting"),
        ("", "Expecting"),
        ('"\n"', "control character"),
    ],
)
def test_what_is_no_json_is_one_kind_of_error(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text)
