"""An operation, an objective, a predictor and a table for nasgem, in a package of their own."""
