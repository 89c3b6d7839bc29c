"""What is on its way to the server, on disk: bounded, and there again after a restart."""
