import pytest

from flows.cli import show_front as module
from flows.cli.printing import out
from nasgem_core.errors import DataError, ParameterError
from tasks.stages.results import Results


@pytest.fixture
def shown(small_search, monkeypatch):
    """Give a function that returns what is printed of the small search."""
    monkeypatch.setattr(module, "load_config", lambda: small_search.config)
    monkeypatch.setattr(module, "prepare_environment", lambda only_reads: None)

    def text(*arguments):
        with out.capture() as capture:
            module.show_front(*arguments)
        return capture.get()

    return text


def test_cells_are_listed_and_drawn_where_no_network_was_trained(shown, small_search, tmp_path):
    picture = tmp_path / "new" / "front.png"
    text = shown(None, None, 1000, picture)
    usable = Results(small_search.config).distinct.usable
    assert "Cells of the search" in text and all(key[:8] in text for key in usable.key)
    assert "MACs, params" in text and "dominated" in text and "(MobileNet" in text
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "others are dominated and not listed." in shown(None, None, 1, picture)


def test_what_a_front_does_not_need_is_refused(shown, tmp_path):
    with pytest.raises(ParameterError, match="leave out --macs and --penalty"):
        shown("10M", None, 5, tmp_path / "front.png")
    with pytest.raises(ParameterError, match="leave out --macs and --penalty"):
        shown(None, 0.1, 5, tmp_path / "front.png")
    with pytest.raises(DataError, match="kept for the stages"):
        shown(None, None, 5, module.Path("data/report/front.png"))
