"""`stream-encryptor plan`: what encrypting a table would meet, change and cost, before anything is deployed.

::

    describe ─▶ table ────────────┐
    sampling ─▶ items ─▶ survey   ├─▶ obstacles, suggestion, cost ─▶ document ─▶ words, page, JSON
                     └─▶ growth ──┤
    traffic, prices, trail ───────┘

What asks AWS or reads a file: `describe`, `sampling`, `traffic`, `trail_files`, `prices`. The rest is pure. Nothing
here writes to AWS or uses a KMS key: items of the sample are encrypted in this process, under a data key of its own.
"""
