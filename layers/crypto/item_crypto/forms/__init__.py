"""Forms that a ciphertext can have: what it tells of itself, and how it is decrypted."""
