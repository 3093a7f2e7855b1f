"""Re-writes what unchanged writers put into the table in encrypted form.

``handler`` takes the table's stream, ``retry`` the keys that failed for now. Both turn what triggered them into hints
and leave the rest to ``item_crypto.Reconciler``. This package holds no right to decrypt.
"""
