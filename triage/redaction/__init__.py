"""What must not leave: numbers of cards, accounts and people, found in text and in what was said.

`text` is the door for texts, `speech` for transcripts and the seconds to silence, `fields` for
inquiries and what was found in them.
"""
