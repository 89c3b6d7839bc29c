"""What is done with Node.js processes beside taking their figures: commands to their agents, the files that come of
them, and what agents tell of packages and core files.
"""
