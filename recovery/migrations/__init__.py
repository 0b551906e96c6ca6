"""The schema's history; written by `tortoise makemigrations`, applied by `cartback migrate`."""
