"""The Weisfeiler-Lehman kernel and pairs of cells to learn it from."""
