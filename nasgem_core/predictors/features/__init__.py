"""Analytic features of cells, one module for each block of columns."""
