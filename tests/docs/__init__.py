"""Tests that run the examples of the documentation; what the pages name is checked in tests/test_docs.py."""
