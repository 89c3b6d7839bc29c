"""Alarms: rules, their evaluation, what fired, and whoever is told."""
