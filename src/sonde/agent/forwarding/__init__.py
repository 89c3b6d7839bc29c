"""Queue -> server: one batch after the other, and what the server's answers mean."""
