"""Predictors of accuracy from a cell's graph, for tables in which few cells are labelled."""
