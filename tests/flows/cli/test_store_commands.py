from typer.testing import CliRunner

from flows.cli.search_commands import app
from tasks.store.record_folder import RECORDS, RecordFolder


def test_records_are_copied_and_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("")
    RecordFolder().write_path("a-1", b"1")
    (RECORDS / "b-2").write_bytes(b"damaged")
    for shown, count in (("1 records", 1), ("0 records", 0)):
        ran = CliRunner().invoke(app, ["store", "copy", ".", f"file://{tmp_path}/store"])
        assert ran.exit_code == 0 and f"{shown} and checkpoints copied to file://{tmp_path}/store" in ran.stdout
        assert "records/b-2 is damaged, and was not copied" in ran.stderr, count
    assert [path.name for path in (tmp_path / "store" / "records").iterdir()] == ["a-1"]


def test_a_folder_without_a_project_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["store", "copy", "elsewhere", "file:///x"])
    assert ran.exit_code == 1 and "elsewhere does not contain params.yaml: name the folder of a project" in ran.stderr
