"""Dashboards: kept, filled, shared."""
