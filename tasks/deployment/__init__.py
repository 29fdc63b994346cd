"""Networks opened by name, and their measured latency."""
