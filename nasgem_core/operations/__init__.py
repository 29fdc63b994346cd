"""The operations that a vertex can carry: costs and layer of each."""
