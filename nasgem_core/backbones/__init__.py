"""Networks for transfer: GEMNet, and the published networks that it is compared with."""
