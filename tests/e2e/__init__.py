"""One cart's whole way, through the front door."""
