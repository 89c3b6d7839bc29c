"""What the probe and its peers cost: the parts of the benchmark `peers`."""
