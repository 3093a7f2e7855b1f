"""What encrypting a table takes at any scale: costs, limits, and the plaintext window by simulation.

    .venv/bin/python -m benchmarks.scale            writes docs/scale.md and its chart anew
    .venv/bin/python -m benchmarks.scale --check    tells whether they are what it would write

Nothing here asks a service or measures a thing: it reckons, from the benchmark's figures (`figures.py`), from AWS's
published limits (`limits.py`) and by what `stream-encryptor plan` rests its costs on. `local.py` alone measures: it
writes into the local stack and holds the simulation against it.
"""
