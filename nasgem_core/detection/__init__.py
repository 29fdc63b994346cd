"""Detectors on any backbone, the data that they learn from, and average precision."""
