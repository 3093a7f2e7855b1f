"""Shows whether encryption is on, and lets administrators change it: ``/session/encryption/config``.

A function of its own, so that its role reaches the control table and the work queue only: no session, no key.
"""
