import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgem_core.checksums import (
    UNSET,
    bytes_with_checksum,
    check_bytes,
    json_with_checksum,
    sealed,
    unsealed,
    without_checksum,
)

DOCUMENT = {"schema": "s/1", "a": [1, -0.0, 1e-300, None, True], "é": {"x": "y"}, "empty": ()}
TEXT = json_with_checksum(DOCUMENT)


def test_a_seal_tells_every_change():
    document, arrays = {"a": [1, 2.5]}, {"x": np.arange(6.0).reshape(2, 3), "y": np.zeros((0, 2))}
    text = sealed(document, arrays)
    assert unsealed(text, arrays) == unsealed(text.encode(), dict(reversed(arrays.items()))) == document
    changed = arrays["x"].copy()
    changed[1, 2] = np.nextafter(5.0, 6.0)
    for other in ({**arrays, "x": changed}, {**arrays, "x": arrays["x"].T}, {"x": arrays["x"]}, {}):
        with pytest.raises(ValueError, match="checksum"):
            unsealed(text, other)
    for other in (text.replace("2.5", "2.6"), "{}", "[]", "1"):
        with pytest.raises(ValueError, match="checksum"):
            unsealed(other, arrays)


def test_a_document_comes_back_and_says_that_it_had_a_checksum():
    document, found = without_checksum(json.loads(TEXT))
    assert found and json.dumps(document) == json.dumps(DOCUMENT) and list(json.loads(TEXT))[-1] == "checksum"
    assert without_checksum(json.loads(json.dumps(json.loads(TEXT)))) == (document, True), "white space does not count"
    assert json_with_checksum(document) == TEXT


def test_what_a_person_has_written_has_none():
    for document in ({"schema": "s/1"}, {}, [1], 3, None, "text"):
        assert without_checksum(document) == (document, False)


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(1, 255))
def test_every_changed_byte_of_json_is_refused_or_changes_no_value(place, difference):
    changed = bytearray(TEXT.encode())
    changed[place] ^= difference
    try:
        document, found = without_checksum(json.loads(bytes(changed)))
    except ValueError:
        return
    assert found and json.dumps(document) == json.dumps(DOCUMENT)


@given(st.binary(max_size=50), st.binary(max_size=50), st.data())
def test_every_changed_byte_of_other_files_is_refused(before, after, data):
    content = bytes_with_checksum(before + UNSET.encode() + after)
    check_bytes(content)
    changed = bytearray(content)
    changed[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="checksum"):
        check_bytes(bytes(changed))


def test_bytes_need_one_place_for_their_checksum():
    for content in (b"", UNSET.encode() * 2):
        with pytest.raises(ValueError, match=re.escape(f"must have {UNSET} once")):
            bytes_with_checksum(content)
