"""The `nasgem` command."""
