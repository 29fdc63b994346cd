"""The forms that networks are exported in, one module each."""
