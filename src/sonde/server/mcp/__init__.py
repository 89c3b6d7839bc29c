"""The Model Context Protocol: programs that read for people ask what the console shows, and get a link to it.

Source: https://modelcontextprotocol.io/specification/2025-11-25. Read-only, and without a state between requests.
"""
