"""What runs the steps: today one process with thread pools."""
