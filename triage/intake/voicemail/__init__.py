"""Messages left with telephone systems, which send them by mail."""
