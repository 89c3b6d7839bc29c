"""Who may do what: users and their sessions, apps and their tokens, API tokens, and the audit of changes.

Everything here blocks (SQLAlchemy on SQLite, PostgreSQL or MySQL) and knows nothing of HTTP.
"""
