"""The whole path on shipped mails and calls, with a real mail server and a real endpoint."""
