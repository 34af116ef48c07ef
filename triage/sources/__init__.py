"""Where raw items come from. A source reads; it never changes what it reads."""
