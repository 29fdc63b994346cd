import struct
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest

from nasgem_core.errors import DataError
from nasgem_core.figures.encoder import draw_similarity_fit
from nasgem_core.figures.image import figure_png, figure_svg, save_figure
from nasgem_core.figures.style import add_legend, new_figure


def figure():
    return draw_similarity_fit(np.linspace(0, 1, 9), np.linspace(0.1, 0.9, 9))


def chunks(png: bytes) -> list[str]:
    names, at = [], 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        names.append(name.decode())
        at += 12 + length
    return names


def test_png_holds_pixels_and_no_text():
    png = figure_png(figure(), dpi=50)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (280, 260)
    assert set(chunks(png)) <= {"IHDR", "pHYs", "IDAT", "IEND"}


@pytest.mark.parametrize("write", [figure_png, figure_svg])
def test_the_same_values_give_the_same_bytes(write):
    assert write(figure(), dpi=60) == write(figure(), dpi=60)


def test_svg_is_xml_without_a_date():
    svg = figure_svg(figure())
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert b"dc:date" not in svg


def test_global_settings_stay_as_they_were():
    before = dict(matplotlib.rcParams)
    figure_svg(figure())
    figure_png(figure(), dpi=30)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_saved_file_is_whole_and_alone(tmp_path, suffix):
    path = tmp_path / "new" / f"fit.{suffix}"
    write = {"png": figure_png, "svg": figure_svg}[suffix]
    expected = write(figure(), dpi=30)
    drawn = figure()
    save_figure(drawn, path, dpi=30)
    assert path.read_bytes() == expected
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert not drawn.axes


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "fit.png"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match=r"cannot write the figure .*fit\.png: No space left on device"):
        save_figure(figure(), path)
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("fit.png", b"old")]


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"the name must end in \.png or \.svg"):
        save_figure(figure(), tmp_path / "fit.pdf")


@pytest.mark.parametrize("write", [figure_png, figure_svg])
def test_letters_that_the_font_lacks_are_written_out_without_a_warning(write, recwarn):
    figure, axes = new_figure("title \u732b", width=4, height=3)
    axes[0, 0].plot([0, 1], [0, 1], label="label \u732b")
    axes[0, 0].annotate("\U0001f408", (0.5, 0.5))
    add_legend(axes[0, 0], "upper left")
    assert write(figure) and not [warning for warning in recwarn if "missing" in str(warning.message)]
