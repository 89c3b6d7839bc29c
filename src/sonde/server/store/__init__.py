"""The store: schema, store process, client, loader, retention, queries by topic."""
