"""What every flow runs in: session, server, lock, processes."""
