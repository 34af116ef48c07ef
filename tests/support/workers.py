"""Settings of workers that tests start."""

from __future__ import annotations

import json
from pathlib import Path

from triage.demo.dovecot import Dovecot

_TEXT = """\
[business]
name = "Brightwater Heating & Cooling"
sells = "Installs, repairs and maintains heating, air conditioning and ventilation"
domains = ["brightwater.example"]
places = ["Columbus, Ohio"]

[store]
data_dir = "var"

[console]
enabled = false

[[sources]]
kind = "imap"
name = "inquiries"
host = "127.0.0.1"
port = {port}
security = "none"
username = "inquiries"
password = "{password}"
poll_every = 0.5
batch = 7

[[sources]]
kind = "recordings"
name = "calls"
path = {recordings}
poll_every = 0.5
settle_seconds = 0.2

[[destinations]]
name = "sales"
url = "{url}"
secret = "{secret}"
allow_private = true

[delivery]
schedule = [{waits}]
jitter = 0

[engine]
sweep_every = 0.3
retry_base = 0.2
retry_max = 2
"""


def settings_text(server: Dovecot, recordings: Path, url: str, secret: str) -> str:
    """A `triage.toml` for a mailbox, a folder of recordings and an endpoint, all impatient."""
    return _TEXT.format(
        port=server.port,
        password=server.password,
        recordings=json.dumps(str(recordings)),
        url=url,
        secret=secret,
        waits=", ".join(["0.5"] * 200),
    )
