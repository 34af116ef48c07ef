"""The web console and its JSON API: what people see of the store, and what they do to it."""
