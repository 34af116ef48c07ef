"""The `triage` command."""

from triage.cli.app import main

__all__ = ["main"]
