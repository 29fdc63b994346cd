"""What makes a site of the pages in docs/: mkdocs.yml names `hooks`, and `make site` builds it."""
