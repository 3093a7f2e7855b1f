"""Returns sessions in the clear to those who may read them.

``handler`` is the HTTP API for users, each of whom reaches only their own sessions; ``item`` is invoked directly by
services that IAM authorizes and takes the key of any item. Both bring what they read into the form that the setting
asks for, on the way.
"""
