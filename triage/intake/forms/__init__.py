"""Mails that websites send when somebody fills in a form: fields, the real sender, the campaign.

`layouts` reads labels and values, `labels` knows what labels mean, `notice` decides whether a mail
is such a notification at all, and `attribution` finds the parameters of the advertisement. What is
in no known layout stays the plain text that it is.
"""
