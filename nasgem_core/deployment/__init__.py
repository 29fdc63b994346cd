"""Trained networks in the hands of their users: exports, predictions, latencies."""
