"""A small shop, its catalogue and an inbox; it talks to the service only by signed hooks, like any shop."""
