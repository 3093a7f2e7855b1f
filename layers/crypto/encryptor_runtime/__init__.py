"""What the functions share, around the library ``item_crypto``: their environment, the switch, queues, telemetry.

``runtime.compose`` puts a function's parts together. Nothing here knows a function, and nothing in ``item_crypto``
knows of this package.
"""
