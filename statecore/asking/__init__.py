"""How a question is put, shown and answered in words, whichever surface a person sits at.

`questions` says what is asked, `outcomes` what each answer leads to, `written` reads values as people write them, `text` makes texts of unknown
origin safe to read. Start at `questions.question`. Nothing here knows a terminal, a web page or a store.
"""
