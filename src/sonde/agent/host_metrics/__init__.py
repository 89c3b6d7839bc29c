"""What the host and its processes are doing, read and put into the queue at each interval."""
