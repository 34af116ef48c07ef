"""What is inside attachments: PDF, Word, Outlook's winmail.dat, calendars.

Such files come from strangers, and the libraries that read them can be made to take for ever or to
fill the memory. So they are read in a child process (`child`) with limits; `reader` asks it.
"""
