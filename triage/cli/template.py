"""The first settings file of a deployment, with comments that say what each line is for."""

from __future__ import annotations

import os
from pathlib import Path

from triage.delivery.webhook import new_secret
from triage.errors import Usage

TEMPLATE = """\
# Settings of triage. Every field is described in docs/settings.md.
# `triage doctor` checks them, `triage run` starts the worker.

[business]                      # goes into the model's input: the same words can be a lead for one
name = ""                       # business and a wrong number for another
sells = ""                      # e.g. "heating and air conditioning for homes and offices"
domains = []                    # your own mail domains, e.g. ["example.com"]
places = []                     # e.g. ["Columbus, Ohio"]
country = "US"                  # how phone numbers without a country code are read

[ideal_customer]                # what the fit of a lead is measured against; leave out what
# industries = ["offices"]      # does not matter
# min_size = 20
# regions = ["Ohio"]

[store]
data_dir = "var"                # database and raw copies; back this folder up

# --- Where inquiries come from: any number of these ----------------------------------------------

# [[sources]]
# kind = "imap"
# name = "inbox"
# host = "imap.example.com"
# username = "sales@example.com"
# password_file = "secrets/imap-password"
# folders = ["INBOX"]
# since = 2026-01-01            # older mail is not read; else it is triaged, and its leads are held

# [[sources]]
# kind = "maildir"              # a maildir, or a folder of .eml files
# name = "archive"
# path = "mail"

# [[sources]]
# kind = "recordings"           # NAME.json beside a recording may say who called whom
# name = "calls"
# path = "recordings"

# [[sources]]
# kind = "sftp"                 # or "s3"; see docs/recordings.md
# name = "pbx"
# host = "pbx.example.com"
# username = "triage"
# private_key_file = "secrets/pbx-key"
# host_keys = ["SHA256:…"]      # `ssh-keyscan HOST | ssh-keygen -lf -`, compared with its owner
# path = "/var/spool/asterisk/monitor"

[transcription]
caller_channel = "right"        # in stereo recordings; the agent is on the other

[rules]                         # what is known about senders before the model; see docs/rules.md
allow = []                      # never filed unseen: "ann@example.com", "example.com", "+1 614 …"
block = []                      # filed as spam, whatever they write
# customers = ["crm-export.csv"]

[decision]
forward_score = 30              # leads below are nurtured, not forwarded
lead_floor = 0.2                # from this probability of a lead on, nothing is filed unseen

# --- Where leads go: Standard Webhooks, signed with the secret ------------------------------------

# [[destinations]]
# name = "crm"
# url = "https://crm.example.com/hooks/leads"
# secret_file = "secrets/webhook-secret"
# allow_private = true          # if it is on this machine or in your own network
# filter = { grades = ["A", "B"], campaigns = ["spring*"] }
"""


def write(folder: Path) -> list[Path]:
    """Write `triage.toml` and `secrets/webhook-secret` (mode 600); returns what was written.

    Raises `Usage` where a settings file is there already or the folder cannot be written.
    """
    settings, secret = folder / "triage.toml", folder / "secrets" / "webhook-secret"
    if settings.exists():
        raise Usage(f"{settings} is there already; it was left as it is")
    try:
        secret.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(TEMPLATE, encoding="utf-8")
        if secret.exists():
            return [settings]
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(new_secret() + "\n")
    except OSError as error:
        raise Usage(f"cannot write to {folder}: {error.strerror}") from error
    return [settings, secret]
