"""What `sonde doctor` is made of: a command and its processes, requests to it, what its probes say, the findings."""
