"""What MkDocs calls while it builds the site: files from outside of docs/, links, references and equations."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs_site import reference
from docs_site.links import site_links
from docs_site.mathematics import with_mathml
from docs_site.sources import DOCS, PAGES, page_text

_ASSETS = ("iframe-worker.js", "style.css")
_FOLDERS = {page: str(Path(source).parent).removeprefix(".") for source, page in PAGES.items()}
"""Where the links of a page that is made of another file start from."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of other files, and the site's own script and style."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=page_text(source)))
    for name in _ASSETS:
        files.append(File.generated(config, name, abs_src_path=str(Path(__file__).with_name(name))))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page with its links leading into the site, and the reference with its directives."""
    if page.file.src_uri == reference.PAGE:
        markdown = reference.with_reference(markdown)
    return site_links(markdown, _FOLDERS.get(page.file.src_uri, DOCS))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the HTML of a page with its equations as MathML."""
    return with_mathml(html)
