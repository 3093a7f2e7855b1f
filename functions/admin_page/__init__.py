"""Serves the admin page: ``GET /admin``, ``/admin/config.json`` and ``/admin/assets/{file}``, to anyone.

These are the only routes that ask for no token, since somebody who has yet to sign in must get the page that signs
them in. So the function has a role that may do nothing, runs without the layer, knows neither table nor key, and
answers with files that a listing made at start names. What the page then asks for is ``/admin/api``'s to refuse.

``static/`` is the build of ``web/admin``.
"""
