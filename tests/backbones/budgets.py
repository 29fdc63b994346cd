"""Budgets as messages name them, read as the command line does; tests/flows/test_build.py reads them with it."""

import re
from fractions import Fraction


def read_macs(text):
    number, unit = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]?)", text).groups()
    macs = Fraction(number) * {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}[unit]
    return round(macs)


def named_in(error):
    """Return the budget that a message says can be met."""
    return read_macs(re.search(r" have at (?:least|most) (\S+); choose that", str(error))[1])
