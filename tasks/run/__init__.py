"""Parameters, placement and progress of one run."""
