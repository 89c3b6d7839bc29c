"""The parts of `sonde debug`."""
