"""What is hashed and numbered in format 3 of the stores, as pure functions: the same input gives the same bytes, for ever.

No store writes format 3 yet. `specs/format-3.md` is the rule, in words that an implementation in another language can follow;
`specs/format-3.json` are the test vectors, which this package and the functions for Postgres (`stores/postgres/frames-3.sql`) meet.

* `framing`: a tag and its parts become bytes; kinds of parts; records, which are a tag with named parts. Start here.
* `slots`: salts and commitments of what may be erased.
* `chain`: a run's identity, its events, its seals, its moves. `questions`: questions, decisions, acts. `leaves`: what an outsider anchors.
* `ids`: numbers and names that others keep.
"""
