"""Tests of the core package; each module mirrors one of recovery/."""
