"""An operation and an objective for nasgem, in a package of their own."""
