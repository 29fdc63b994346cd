"""Cached Prefect tasks, each thin around one call of the core."""
