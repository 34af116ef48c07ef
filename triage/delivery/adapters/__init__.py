"""Destinations that do not speak Standard Webhooks: the same events in their own words."""
