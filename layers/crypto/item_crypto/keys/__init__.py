"""Keys: what identifies one, and where data keys come from.

``protocol.py`` is what encryption and decryption ask of keys, ``identity.py`` what identifies one, ``kms.py`` the kind
that is there by default, ``data_key.py`` one data key for one call, ``one_call.py`` the keys as one decryption sees
them, ``meter.py`` what calls to KMS cost.

``hierarchical.py`` is the other kind: a branch key a tenant. Only ``key_store.py``, which makes and rotates them,
needs the AWS Cryptographic Material Providers Library, and is imported only then.
"""
