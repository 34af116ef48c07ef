"""What file names, sidecars and call detail records say about a recorded call."""
