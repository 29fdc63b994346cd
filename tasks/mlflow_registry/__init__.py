"""Trained networks in MLflow's model registry."""
