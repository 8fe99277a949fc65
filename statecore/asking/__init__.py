"""A question in words: how it is put, shown and answered, on whichever surface a person sits at.

Owns: the sentences. `questions` says what is asked, `outcomes` what each answer leads to, as data and in words; `leads` gives these
sentences their codes; `votes` has those of a rule, its votes, and one more vote. `problems` makes the document of a refusal.
`approvals` has the lines of a requirement with a rule. `text` makes texts of unknown origin safe to read, and reads the values that people
write. A requirement is a protocol here (`questions.Question`), so that this room knows no facade.

May enter: the core, definitions, errors, and the records of a store. No terminal, no web page, no run output, no database.

Start with `questions.question`.
"""
