"""Triage of inbound inquiries: mail and calls in, validated leads out."""

__version__ = "0.1.0"
