"""Images of every mode and with damaged notes are read, or refused with a reason."""

import io
import os
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nasgem_core.training import image_reading
from nasgem_core.training.image_reading import TooLargeImageError, UnreadableImageError, read_image, upright

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
TYPES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Kinds of EXIF fields and their bytes."""


def exif_note(fields):
    """Return an EXIF note of fields (tag, type, count, four bytes) as a camera that has no idea might write it."""
    entries = b"".join(struct.pack("<HHI4s", *field) for field in sorted(fields))
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(fields)) + entries + b"\0\0\0\0" + bytes(range(64))


def jpeg(note):
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", exif=note)
    return buffer


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([0x010F, 0x011A, 0x0128, 0x0132, 0x0201, 0x02BC, 0x8769, 0x8825, 0x9286, 0xA005, 0xC4A5]),
    st.sampled_from([*TYPES, 0, 13, 200]),
    st.sampled_from([0, 1, 2, 3, 9, 2**31]),
    st.binary(min_size=4, max_size=4) | st.sampled_from([b"\x26\0\0\0", b"\xff" * 4]),
    st.sampled_from([3, 6]),
)
def test_a_senseless_field_changes_no_pixel(tag, kind, count, value, turn):
    note = exif_note([(0x0112, 3, 1, bytes([turn, 0, 0, 0])), (tag, kind, count, value)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = upright(Image.open(jpeg(note)))
    note = exif_note([(0x0112, 3, 1, bytes([turn, 0, 0, 0]))])
    # A field that ends the reading of the note may hide the turn behind it.
    possible = [np.asarray(upright(Image.open(jpeg(note)))), np.asarray(Image.open(jpeg(b"")))]
    assert any(np.array_equal(np.asarray(found), pixels) for pixels in possible)


@pytest.mark.parametrize("kind", TYPES)
def test_a_turn_that_is_no_number_leaves_the_pixels_as_they_are(kind):
    found = upright(Image.open(jpeg(exif_note([(0x0112, kind, 3, b"\x26\0\0\0")]))))
    assert np.array_equal(np.asarray(found), np.asarray(Image.open(jpeg(b""))))


def test_damaged_notes_of_tiff_files_are_read_or_refused(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(PIXELS).save(path, tiffinfo={0x0112: 6, 0x8825: 1})
    content = path.read_bytes()
    for place in range(8, len(content)):
        path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        try:
            assert read_image(path).mode == "RGB"
        except UnreadableImageError as error:
            assert str(error)


def scaled(values):
    return np.repeat((values // 257).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled_in_every_format(tmp_path, ending):
    values = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1300
    path = tmp_path / f"a.{ending}"
    if ending == "pgm":
        path.write_bytes(b"P5 8 6 65535\n" + values.astype(">u2").tobytes())
    else:
        Image.fromarray(values).save(path)
    assert np.array_equal(np.asarray(read_image(path)), scaled(values))


def test_a_pgm_with_another_white_is_scaled_to_it(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 2 1 1023\n" + np.array([0, 1023], ">u2").tobytes())
    assert np.asarray(read_image(tmp_path / "a.pgm"))[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK", "YCbCr", "HSV", "RGBa"])
def test_every_mode_with_a_known_white_becomes_rgb_and_is_turned(mode):
    first = {"PA": "P", "RGBa": "RGBA"}.get(mode, "RGB")
    picture = Image.fromarray(PIXELS).convert(first).convert(mode)
    expected = np.asarray(picture.convert("RGB"))
    picture.getexif()[0x0112] = 3
    assert np.array_equal(np.asarray(upright(picture)), expected[::-1, ::-1])


@pytest.mark.parametrize("mode", ["I", "F"])
def test_an_unknown_white_is_refused(tmp_path, mode):
    Image.fromarray(PIXELS).convert("L").convert(mode).save(tmp_path / "a.tif")
    with pytest.raises(UnreadableImageError, match=f"its pixels are of mode {mode}: save it with 8 or 16 bits"):
        read_image(tmp_path / "a.tif")


def test_what_is_not_a_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "zero.png", "folder.png"):
        with pytest.raises(UnreadableImageError, match="it is not a file"):
            read_image(tmp_path / name)


def test_a_broken_file_says_what_is_wrong(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_image(path)
    path.write_bytes(b"")
    with pytest.raises(UnreadableImageError, match="the file is empty"):
        read_image(path)
    path.write_bytes(b"not an image")
    with pytest.raises(UnreadableImageError, match="not an image of a known format"):
        read_image(path)
    Image.fromarray(PIXELS).save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UnreadableImageError, match=r"truncated|broken"):
        read_image(path)
    Image.fromarray(PIXELS).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(TooLargeImageError, match="has more than 0 million pixels"):
        read_image(path)


def test_no_program_is_run_for_an_image(tmp_path):
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "a.png").write_bytes(text)
    with pytest.raises(UnreadableImageError, match="it is PostScript, a program that PIL would run"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("error", [MemoryError(), struct.error("x"), KeyError("x"), RecursionError("x"), TypeError()])
def test_whatever_the_parsers_let_out_is_a_reason(tmp_path, monkeypatch, error):
    def broken(image):
        raise error

    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    monkeypatch.setattr(image_reading, "upright", broken)
    with pytest.raises(UnreadableImageError, match=r".+"):
        read_image(tmp_path / "a.png")
