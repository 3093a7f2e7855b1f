"""The example chat on this machine: the build of ``web/example`` at an origin of its own, as an application's is.

``static/`` is that build, made by ``npm run build -w example`` in ``web``. ``config.json`` beside it says where the API
and the issuer are. The page knows only these two, and signs in and calls them as it would on AWS.
"""

from local.example.server import Example

__all__ = ["Example"]
