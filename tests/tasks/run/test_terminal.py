import io

from tasks.run.terminal import Terminal


def test_names_are_shown_and_not_obeyed():
    output = io.StringIO()
    Terminal(file=output, force_terminal=True, color_system=None, width=200).print("\x1b[31m[red]a[/red] :cat:\x07\rb")
    assert output.getvalue() == "\\x1b[31m[red]a[/red] :cat:\\x07\\rb\n"
