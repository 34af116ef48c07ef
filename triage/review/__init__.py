"""What a person should look at, in which order, and what their answers say about the worker."""
