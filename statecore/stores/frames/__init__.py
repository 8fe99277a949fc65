"""The hashes and numbers of format 3 of the stores, as pure functions: the same input gives the same bytes, for ever.

No store writes format 3 unasked. `specs/format-3.md` is the rule, in words that an implementation in another language can follow;
`specs/format-3.json` are the test vectors, which this package and the functions for Postgres (`stores/postgres/frames-3.sql`) meet.

Owns: the bytes. `framing` turns a tag and its parts into bytes (records are a tag with named parts), and has the salts and commitments to texts
that may be erased; `chain` has a run's identity, events, seals and moves, and the leaves that an outsider anchors; `questions` has questions,
decisions and acts, and the numbers and names that others keep. May enter: the standard library and errors; no store, no core.

Start with `framing`.
"""
