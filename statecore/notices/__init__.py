"""Word that reaches people: what happens to questions is told to webhooks, mail and chats, at least once, with the same id every time.

Owns: `events`, the notices that a store's questions and runs give; `sent`, the file that remembers each delivery and survives a crash at every
write; `signing`, signatures of webhooks and the check for receivers; `reaching`, a connection that goes to no private address; `channels`,
where a notice goes: `Webhook`, `Mail`, `Apprise`; `notifier`, which looks, sends and repeats.

May enter: the facade's `Inbox`, asking, stores and the rooms below. No output or value of a run, no code of a user but `to=` of a channel. It
needs no extra; `Apprise` needs the package of that name.

Start with `notifier`.
"""
