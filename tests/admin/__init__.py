"""Tests of the admin page; each module mirrors one of admin/."""
