"""Statistics, topology and the live view, computed from what the store answers."""
