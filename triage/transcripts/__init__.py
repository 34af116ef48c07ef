"""Call recordings become text: decode, find speech, transcribe, flag what cannot be trusted.

`host` is the door: it does the work in child processes, so that a crash, a hang or a lack of memory
costs one call. Everything below it may be used directly where that does not matter.
"""
