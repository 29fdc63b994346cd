import io

from tasks.run.terminal import Terminal, between_words


def test_names_are_shown_and_not_obeyed():
    output = io.StringIO()
    Terminal(file=output, force_terminal=True, color_system=None, width=200).print("\x1b[31m[red]a[/red] :cat:\x07\rb")
    assert output.getvalue() == "\\x1b[31m[red]a[/red] :cat:\\x07\\rb\n"


def shown(text, **options):
    output = io.StringIO()
    Terminal(file=output, color_system=None, width=20, **options).print_words(text)
    return output.getvalue()


def test_sentences_end_their_lines_between_words_on_a_terminal_and_nowhere_else():
    text = "choose among gemnet, mobilenet_v2_1_4 or a file\n  of yours"
    assert shown(text, force_terminal=True) == ("choose among gemnet,\nmobilenet_v2_1_4 or\na file\n  of yours\n")
    assert shown(text) == f"{text}\n"


def test_a_command_in_a_sentence_stays_in_one_line():
    command = "`nasgem search --profile tiny`,"
    assert between_words(f"run {command} then look", 20) == f"run\n{command}\nthen look"
    assert between_words("漢字漢字 漢字漢字 a", 9) == "漢字漢字\n漢字漢字\na"  # two columns for each of these letters
    assert between_words("", 9) == ""
