"""An OpenID Connect issuer on this machine, so that pages sign in here by the code path that they use elsewhere.

::

    page ── GET /authorize (PKCE) ──▶ who are you? ── POST /authorize ──▶ back to the page, with a code
    page ── POST /token (code, verifier) ──▶ access, ID and refresh token ── POST /token (refresh token) ──▶ …
    page ── GET /logout ──▶ back to the page

The authorization code flow with PKCE for one public client, as RFC 6749, RFC 7636 and OpenID Connect (Core, Discovery,
RP-Initiated Logout) have it. Whoever sits at this machine says who they are, without a password: it stands in for an
issuer and protects nothing. Tokens are signed by the stack's ``TokenKey`` and are called by the name that the API
expects, which need not be this server's address; pages are given the address of the metadata.
"""

from local.issuer.server import Issuer

__all__ = ["Issuer"]
