"""The pure core: what an item is, what is to be done with it, and the change that does it. No I/O, no AWS client."""
