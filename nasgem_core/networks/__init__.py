"""Networks built from cells, and their costs."""
