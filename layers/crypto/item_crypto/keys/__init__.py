"""Keys: what identifies one, and where data keys come from."""
