"""Event source mappings: what moto records but does not run.

Reading and sending happen in `stream_poller`, `queue_poller` and `mappings`; what to do next is decided by
the pure modules `filters`, `batch_response` and `delivery`.
"""
