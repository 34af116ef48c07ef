"""Raw items become inquiries here: mails by `mail`, call recordings by `call`.

Whatever the bytes are, the result is an inquiry or a `Permanent` with a reason; nothing else.
"""
