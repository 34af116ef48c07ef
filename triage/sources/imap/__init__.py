"""Mail on a server. The only package that knows IMAP."""

from triage.sources.imap.mailbox import ImapMailbox as ImapMailbox
