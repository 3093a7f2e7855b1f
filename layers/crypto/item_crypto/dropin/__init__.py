"""A drop-in for boto3: whoever reads and writes a table directly changes one line, and sees its items in the clear.

::

    caller ─▶ boto3_table, boto3_client ─▶ styles ─▶ reads, writes ─▶ DynamoDB
                                                        │
              projection, conditions, update ◀──────────┤  what the caller's expressions become: pure
              encryption ◀──────────────────────────────┘  an item stored and in the clear, and the record of it

``stream.py`` does the same for records of the table's stream.
"""
