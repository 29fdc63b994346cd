"""Parameters as checked dataclasses."""
