"""Gives users data keys for their own sessions: ``/session/encryption/generate-key`` and ``…/decrypt-key``.

With them a client encrypts a session before it leaves the browser, and decrypts it after it arrived. A function of its
own, so that its role reaches the KMS key and the setting only: no session, no queue.
"""
