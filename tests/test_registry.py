import sys

import pytest

from nasgem_core import registry
from nasgem_core.errors import CellError, NasgemError, ParameterError
from nasgem_core.registry import Registry, modules_in


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package of colours with one good and one broken entry point."""
    (tmp_path / "colours.py").write_text("GREEN = 'a plug-in'\n")
    metadata = tmp_path / "colours-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: colours\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[test.colours]\ngreen = colours:GREEN\nbroken = colours:NOTHING\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._plugins.cache_clear()
    yield
    registry._plugins.cache_clear()
    sys.modules.pop("colours", None)


def colours(**options) -> Registry[str]:
    return Registry("colour", {"pi": "math:pi", "e": "math:e"}, "test.colours", **options)


def test_our_own_come_in_their_order_and_then_plugins(package):
    assert colours().names() == ("pi", "e", "broken", "green")
    assert colours().get("green") == "a plug-in" and colours().get("pi") == pytest.approx(3.14159, abs=1e-5)
    assert colours().module_of("green") == "colours" and colours().module_of("e") == "math"


def test_without_plugins_there_are_our_own():
    assert colours().names() == ("pi", "e")


def test_what_a_process_adds_comes_first(package):
    known = colours()
    known.add("pi", "mine")
    assert known.get("pi") == "mine" and known.module_of("pi") is None and known.names()[0] == "pi"


@pytest.mark.parametrize("error", [ParameterError, CellError])
def test_an_unknown_name_is_refused_with_the_known_ones(error):
    with pytest.raises(error, match="unknown colour 'red': known are pi, e"):
        colours(error=error).get("red")


def test_a_broken_plugin_is_named(package):
    with pytest.raises(NasgemError, match="colour 'broken' of the package colours cannot be loaded"):
        colours().get("broken")


def test_modules_of_a_package_have_places():
    places = modules_in("nasgem_core.kernel", "SOMETHING")
    assert places["wl"] == "nasgem_core.kernel.wl:SOMETHING" and set(places) == {"pairs", "wl"}
