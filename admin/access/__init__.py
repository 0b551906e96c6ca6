"""Who may come in: people with their passwords and sessions, API keys, what each may do, and what they did."""
