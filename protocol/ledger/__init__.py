"""The ledger's state machines: one certified order per account and number.  SPEC §6.

`books` is what a replica knows, `replica` decides on other members' orders, `owner` builds one's
own, `certificates` proves that a quorum voted, `sync` finds what another replica lacks. When an
account is stuck: `recovery` is its owner's way on, `guards` what the others hold to meanwhile,
`warrant` the promises that allow an order then, `evidence` the proof that an owner signed twice.

Nothing here stores or sends. A decision is returned as a value; the caller makes it durable, and
only then lets anything leave. Safety rests on that order of things.
"""
