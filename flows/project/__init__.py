"""Projects outside of the repository: how one is made, and the data sets that are under DVC there."""
