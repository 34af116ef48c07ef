"""Text in, labels out. Knows nothing of mail, databases or HTTP."""
