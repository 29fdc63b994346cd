"""Cached tasks and files of each stage."""
