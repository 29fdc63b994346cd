"""Runs of a search in MLflow."""
