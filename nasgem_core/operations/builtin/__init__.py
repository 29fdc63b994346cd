"""Our own operations: each module defines `OPERATION`, and its own name is the operation's."""
