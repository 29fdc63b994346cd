"""The parts of `benchmarks/gpu.py`, one per file."""
