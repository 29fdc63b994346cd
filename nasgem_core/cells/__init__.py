"""Cells: labelled directed acyclic graphs."""
