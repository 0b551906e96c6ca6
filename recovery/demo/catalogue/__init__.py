"""The demo shop's catalogues: one folder each, data only, read by ``loading``."""
