"""Tabular benchmarks: spaces whose every cell has been trained and measured."""
