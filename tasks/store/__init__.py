"""Files, records of the cache, fingerprints and checkpoints on disk."""
