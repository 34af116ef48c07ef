"""The database and the blob store: the only place that knows SQL."""
