"""Equations in TeX become MathML."""

from markdown import markdown

from docs_site.mathematics import with_mathml


def page(text: str) -> str:
    return with_mathml(
        markdown(
            text,
            extensions=["pymdownx.arithmatex", "pymdownx.superfences"],
            extension_configs={"pymdownx.arithmatex": {"generic": True}},
        )
    )


def test_equations_are_drawn_inline_and_as_blocks():
    html = page("Let $k < 2$ be.\n\n$$S_g = \\frac{k(G, G')}{\\sqrt{k(G, G)}}$$\n")
    assert html.count("<math") == 2 and html.count('display="block"') == 1
    assert "<mfrac>" in html and "<msqrt>" in html and "<msub>" in html and "arithmatex" not in html


def test_dollars_in_code_stay():
    html = page('`$HOME/a$`\n\n```\nexport A="$(cat a)" B="$C"\n```\n')
    assert "<math" not in html and "$(cat a)" in html and "$HOME/a$" in html
