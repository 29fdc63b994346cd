"""Networks for transfer: GEMNet, and the published networks that stand beside it."""
