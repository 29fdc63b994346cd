"""Ray's own command, in a process that ends with its parent, even if that one is killed."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    from ray.scripts.scripts import main

    main()
