"""Moves what is already in the table: sweeps over it, keys that others deferred, dead letters.

``sweep`` serves the work queue, ``deferred`` the keys that the stream's function may not touch, ``control`` the
operator. The engine is SQS and Lambda: a sweep is cut into segments, a message carries one segment on, and the control
table holds how far each has come.
"""
