"""Encoders: from a cell to a vector."""
