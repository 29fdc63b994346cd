"""Networks of equal cost for tests: small enough to be trained in a moment."""

from dataclasses import replace

from nasgem_core.backbones.channels import Budget
from nasgem_core.backbones.frame import Frame
from nasgem_core.backbones.layout import named_layout
from nasgem_core.search.target_networks import TargetNetworks

LAYOUT = named_layout("tiny", "mobile")
SHORT = replace(LAYOUT, skeleton=replace(LAYOUT.skeleton, name="short", repeats=(1,) * 5))


def target_networks(amount=20_000_000, cost="macs", share=0.125, small=LAYOUT):
    return TargetNetworks(Frame(LAYOUT, 10, (64, 64)), Budget(amount, cost), Frame(small, 10, (32, 32)), share)
