"""Seeds derived from one root seed, so that order, number of workers and cache hits cannot change a result."""

import hashlib


def derive_seed(root: int, *parts: object) -> int:
    """Return the 63-bit seed of the unit of work named by `parts`, derived from the `root` seed.

    Equal arguments give equal seeds in every process; different parts give independent streams.
    """
    text = "\x1f".join([str(int(root)), *map(str, parts)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
