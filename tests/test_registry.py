import sys

import pytest

from nasgem_core import registry
from nasgem_core.errors import CellError, NasgemError, ParameterError
from nasgem_core.registry import Registry, modules_in


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install packages of colours; call it with a package's name and its entry points, which name `colours.py`."""
    (tmp_path / "colours.py").write_text("GREEN = 'a plug-in'\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(name: str, points: str) -> None:
        metadata = tmp_path / f"{name}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(f"[nasgem.colours]\n{points}\n")
        registry._plugins.cache_clear()

    yield install
    registry._plugins.cache_clear()
    sys.modules.pop("colours", None)


@pytest.fixture
def package(install):
    """Install a package of colours with one good and one broken entry point."""
    install("colours", "green = colours:GREEN\nbroken = colours:NOTHING")


def colours(**options) -> Registry[str]:
    return Registry("colour", {"pi": "math:pi", "e": "math:e"}, "nasgem.colours", **options)


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


@pytest.mark.parametrize("ask", [Registry.get, Registry.module_of])
def test_a_name_of_two_packages_is_refused_when_it_is_used(install, ask):
    install("colours", "green = colours:GREEN\npi = colours:GREEN")
    install("paints", "green = colours:GREEN")
    assert colours().names() == ("pi", "e", "green")
    with pytest.raises(NasgemError, match=r"'pi' is in nasgem and in colours: .* rename it in the package colours"):
        ask(colours(), "pi")
    with pytest.raises(NasgemError, match=r"'green' is in colours and in paints: .* uninstall that package"):
        ask(colours(), "green")
    assert colours().get("e") == pytest.approx(2.71828, abs=1e-5)


def test_packages_of_plugins_are_known(package):
    assert "colours" in registry.plugin_packages()


def test_modules_of_a_package_have_places():
    places = modules_in("nasgem_core.kernel", "SOMETHING")
    assert places["wl"] == "nasgem_core.kernel.wl:SOMETHING" and set(places) == {"matrix", "pairs", "wl"}
