"""The operations that a vertex can carry, one file each: costs, layer and drawing."""
