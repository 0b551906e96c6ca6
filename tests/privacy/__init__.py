"""A person's rights: telling everything, forgetting everything."""
