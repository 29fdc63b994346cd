import pytest

from nasgem_core.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("a\rb\x08c\x7f", r"a\rb\x08c\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("\u732b \u0639\u0631\u0628 \U0001f408 caf\xe9\ta\nb", "\u732b \u0639\u0631\u0628 \U0001f408 caf\xe9\ta\nb"),
    ],
)
def test_what_commands_a_terminal_is_written_out(text, shown):
    assert printable(text) == shown


def test_a_cell_of_a_table_has_one_line():
    assert printable("a\nb", lines=False) == r"a\nb"
