"""Connectors: how carts, orders and products of a shop reach the normal form of ``snapshots``."""
