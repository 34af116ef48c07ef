"""Access tokens for mailboxes (OAuth 2.0). The only package that talks to token servers."""

from triage.sources.oauth.access import Access as Access
from triage.sources.oauth.device import Challenge as Challenge
from triage.sources.oauth.device import authorise as authorise
