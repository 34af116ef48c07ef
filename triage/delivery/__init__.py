"""One attempt to deliver an event, and what the answer means."""
