"""Probes -> queue: the unix socket, who is connected to it, and what they are told."""
