import pytest

from nasgem_core.backbones.spec import NetworkSpec
from nasgem_core.checksums import json_with_checksum
from nasgem_core.errors import DataError
from tasks.run import documents
from tasks.run.documents import read_document
from tests.deployment.networks import gemnet_spec

SPEC = gemnet_spec()


@pytest.fixture
def said(monkeypatch):
    lines = []
    documents.say_hand_written.cache_clear()
    monkeypatch.setattr(documents, "say", lines.append)
    return lines


def test_what_nasgem_wrote_is_read_without_a_word(tmp_path, said):
    path = tmp_path / "network.json"
    path.write_text(json_with_checksum(SPEC.to_dict()))
    assert NetworkSpec.from_dict(read_document(path)) == SPEC == NetworkSpec.from_json(path.read_bytes())
    assert said == []


def test_what_a_person_wrote_is_read_and_said_once(tmp_path, said):
    path = tmp_path / "network.json"
    path.write_text(SPEC.to_json())
    assert NetworkSpec.from_dict(read_document(path)) == NetworkSpec.from_dict(read_document(path)) == SPEC
    assert said == [f"  {path} has no checksum: it is taken as written by hand"]


def test_what_was_changed_afterwards_is_refused(tmp_path, said):
    path = tmp_path / "network.json"
    text = json_with_checksum(SPEC.to_dict())
    for before, after in ((f'"num_classes": {SPEC.num_classes}', '"num_classes": 7'), ("checksum", "chfcksum")):
        assert before in text
        path.write_text(text.replace(before, after))
        with pytest.raises(
            DataError, match=r"^it was changed after nasgem had written it: .* delete its field 'checksum'"
        ):
            read_document(path)
        with pytest.raises(DataError, match="it was changed or damaged"):
            NetworkSpec.from_json(path.read_bytes())
    assert said == []


def test_what_is_not_json_is_refused(tmp_path):
    path = tmp_path / "network.json"
    for content in (b"{", b"\xff\xff", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"^not valid JSON"):
            read_document(path)
