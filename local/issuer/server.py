"""The issuer's addresses, bound to 127.0.0.1."""

import json
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Request, Response

from local.issuer.grants import Grant, Grants, InvalidGrantError
from local.issuer.pages import HEADERS, USERS, message_page, sign_in_page
from local.issuer.requests import (
    AuthorizationRefusedError,
    UntrustedRequestError,
    is_page,
    is_redirect_uri,
    read_request,
)
from local.tokens import ALGORITHM, AUDIENCE, ISSUER, SIGN_IN_LIFETIME, TokenKey, TokenRefusedError
from local.wsgi_server import WsgiServer

_METADATA: Final = "/.well-known/openid-configuration"
_LARGEST_FORM: Final = 64 * 1024
_LONGEST_USER: Final = 128


class TokenRequestError(Exception):
    """A request for tokens that is refused.

    Attributes:
        code: OAuth's name of the error (RFC 6749, section 5.2).
    """

    def __init__(self, code: str, description: str) -> None:
        """Take OAuth's name of the error, and a sentence."""
        super().__init__(description)
        self.code = code


class Issuer:
    """The running issuer."""

    def __init__(
        self,
        key: TokenKey,
        port: int = 0,
        *,
        name: str = ISSUER,
        client_id: str = AUDIENCE,
        lifetime: float = SIGN_IN_LIFETIME,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start serving on a port, 0 for any free one.

        `key` signs the tokens, `name` is what they call their issuer, `client_id` the one client, and `lifetime` the
        seconds that access and ID tokens live.
        """
        self.name = name
        self.client_id = client_id
        self._key = key
        self._lifetime = lifetime
        self._grants = Grants(clock)
        self._paths: dict[str, tuple[tuple[str, ...], Callable[[Request], Response]]] = {
            _METADATA: (("GET",), self._metadata),
            "/jwks": (("GET",), self._keys),
            "/authorize": (("GET", "POST"), self._authorize),
            "/token": (("POST",), self._token),
            "/logout": (("GET", "POST"), self._logout),
        }
        self._server = WsgiServer(port, self._application, "issuer")
        self.port, self.url = self._server.port, self._server.url

    @property
    def metadata_url(self) -> str:
        """Return the address of the discovery document."""
        return self.url + _METADATA

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.stop()

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = request.max_form_memory_size = _LARGEST_FORM
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = _page("Not possible", error.description or error.name, error.code or 400)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return _page("Not here", "This address was called by another name.", 403)  # DNS rebinding
        methods, answer = self._paths.get(request.path, ((), None))
        if answer is None:
            return _page("Not found", "There is no such page.", 404)
        shared = request.path in (_METADATA, "/jwks", "/token")
        if request.method == "OPTIONS" and shared:
            response = Response(status=204)
            response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            response.headers["Access-Control-Allow-Headers"] = "content-type"
        elif request.method in methods:
            response = answer(request)
        else:
            raise MethodNotAllowed(methods)
        if shared:
            response.headers["Vary"] = "Origin"
            if is_page(request.headers.get("Origin", "")):
                response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        return response

    def _metadata(self, _: Request) -> Response:
        return _json(
            {
                "issuer": self.name,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "end_session_endpoint": f"{self.url}/logout",
                "scopes_supported": ["openid"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )

    def _keys(self, _: Request) -> Response:
        return _json(self._key.public_keys())

    def _authorize(self, request: Request) -> Response:
        try:
            if request.method == "POST":
                return _redirect(self._decided(request))
            asked = read_request(request.args, self.client_id)
        except UntrustedRequestError as error:
            return _page("Not possible", str(error), 400)
        except AuthorizationRefusedError as error:
            return _redirect(error.location)
        return _html(sign_in_page(self._grants.ask(asked), asked.login_hint or USERS[0]))

    def _decided(self, request: Request) -> str:
        """Return where a user is sent who has said who they are."""
        user = request.form.get("user", "").strip()
        agrees = request.form.get("answer") == "yes"
        if agrees and not 0 < len(user) <= _LONGEST_USER:
            raise UntrustedRequestError(f"A user has a name of 1 to {_LONGEST_USER} characters. Go back and give one.")
        try:
            asked = self._grants.asked(request.form.get("request", ""))
        except InvalidGrantError:
            sentence = "This was answered before, or too long ago. Sign in from the page again."
            raise UntrustedRequestError(sentence) from None
        if not agrees:
            raise asked.denied()
        return asked.location(self._grants.grant(asked, user, admin="administrator" in request.form))

    def _token(self, request: Request) -> Response:
        form = request.form
        try:
            if any(len(form.getlist(name)) > 1 for name in form):
                raise TokenRequestError("invalid_request", "A parameter is given twice.")
            if form.get("client_id") != self.client_id:
                raise TokenRequestError("invalid_client", "client_id is not the one that this issuer knows.")
            match form.get("grant_type"):
                case "authorization_code":
                    redirect_uri, verifier = form.get("redirect_uri", ""), form.get("code_verifier", "")
                    grant = self._grants.redeem(form.get("code", ""), redirect_uri, verifier)
                    return _json(self._tokens(grant, nonce=grant.request.nonce))
                case "refresh_token":
                    return _json(self._tokens(self._grants.refresh(form.get("refresh_token", ""))))
                case _:
                    raise TokenRequestError("unsupported_grant_type", "Neither authorization_code nor refresh_token.")
        except InvalidGrantError as error:
            return _json({"error": "invalid_grant", "error_description": str(error)}, 400)
        except TokenRequestError as error:
            return _json({"error": error.code, "error_description": str(error)}, 400)

    def _tokens(self, grant: Grant, nonce: str | None = None) -> dict[str, Any]:
        """Return a token response; the ID token has the nonce where the client is to compare it."""
        session = {"auth_time": grant.time, "sid": grant.id, "jti": uuid.uuid4().hex}

        def token(*, access: bool, **claims: Any) -> str:
            return self._key.issue(
                grant.user,
                admin=grant.admin,
                issuer=self.name,
                audience=self.client_id,
                lifetime=self._lifetime,
                access=access,
                claims={**session, **claims},
            )

        return {
            "access_token": token(access=True, scope=grant.request.scope),
            "id_token": token(access=False, **({} if nonce is None else {"nonce": nonce})),
            "refresh_token": self._grants.refresh_token(grant),
            "token_type": "Bearer",
            "expires_in": int(self._lifetime),
            "scope": grant.request.scope,
        }

    def _logout(self, request: Request) -> Response:
        """End what the ID token was issued for, and lead back where the client may ask for that."""
        values = request.values
        known = values.get("client_id") == self.client_id
        if hint := values.get("id_token_hint"):
            try:
                claims = self._key.verify(hint, issuer=self.name, audience=[self.client_id], may_be_expired=True)
            except TokenRefusedError:
                return _page("Not possible", "id_token_hint is not a token of this issuer.", 400)
            self._grants.end(str(claims.get("sid")))
            known = True
        target = values.get("post_logout_redirect_uri")
        if target is None:
            return _page("Signed out", "You may close this page.")
        if not known or not is_redirect_uri(target):
            return _page("Not possible", "post_logout_redirect_uri is not one of the client's.", 400)
        return _redirect(f"{target}?{urlencode({'state': values['state']})}" if "state" in values else target)


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, HEADERS, content_type="text/html; charset=utf-8")


def _page(title: str, sentence: str, status: int = 200) -> Response:
    return _html(message_page(title, sentence), status)


def _redirect(location: str) -> Response:
    return Response(status=303, headers={**HEADERS, "Location": location})


def _json(document: dict[str, Any], status: int = 200) -> Response:
    response = Response(json.dumps(document), status, {"Cache-Control": "no-store"}, content_type="application/json")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
