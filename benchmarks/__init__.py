"""What encrypting a table costs, beside what one would use instead: `make bench`.

::

    samples ─▶ items of a size ─┐
    DynamoDB Local, fresh ──────┼─▶ a contender in a process of its own re-writes a table ─▶ results.json
    KMS stand-in, over HTTP ────┘                                                               │
                                                                    docs/performance.md ◀───────┘ rendered

A contender is one file in `benchmarks/contenders/`, and one entry in `benchmarks/entries.py`. `benchmarks/results.py`
tells the shape of results.json.
"""
