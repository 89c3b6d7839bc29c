"""The server: intake, store, insight, accounts, API."""
