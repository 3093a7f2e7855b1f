"""Keys: what identifies one, and where data keys come from.

``protocol.py`` is what encryption and decryption ask of keys, ``identity.py`` what identifies one, ``kms.py`` the one
kind there is, ``data_key.py`` one data key for one call, ``one_call.py`` the keys as one decryption sees them,
``meter.py`` what calls to KMS cost.
"""
