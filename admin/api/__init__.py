"""The JSON API for the admin's pages and for programs, under ``/api/v1``."""
