"""What a deployment knows about senders before any model reads a word."""
