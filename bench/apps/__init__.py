"""Applications under measurement."""
