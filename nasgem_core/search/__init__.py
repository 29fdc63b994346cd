"""Efficiency score, predictor and bootstrap optimisation."""
