"""The NASGEM method: numbers in, values out."""
