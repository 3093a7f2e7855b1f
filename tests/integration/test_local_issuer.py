"""The local issuer by HTTP: discovery, the code flow with PKCE, renewal, logout, and what it refuses."""

import base64
import hashlib
import html.parser
import http.client
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest

from local.issuer import Issuer
from local.tokens import TokenKey

PAGE = "http://127.0.0.1:4000/admin"
ORIGIN = "http://127.0.0.1:4000"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def document(self) -> Any:
        return json.loads(self.text)

    @property
    def location(self) -> tuple[str, dict[str, str]]:
        """Where it leads, without and with the query."""
        assert self.status == 303, self.text
        address, _, query = self.headers["location"].partition("?")
        return address, dict(parse_qsl(query))


class Form(html.parser.HTMLParser):
    """The form of a page: its address and what its fields hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.values, self.tags = "", dict[str, str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if tag == "form":
            assert given["method"] == "post"
            self.action = str(given["action"])
        elif tag == "input" and given.get("type") != "checkbox":
            self.values[str(given["name"])] = str(given["value"])


@dataclass
class Client:
    """What a page is to the issuer: one client, with a verifier of its own each time."""

    issuer: Issuer
    clock: Clock
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def call(self, method: str, address: str, form: Any = None, **headers: str) -> Answer:
        url = urlsplit(address)
        connection = http.client.HTTPConnection("127.0.0.1", self.issuer.port, timeout=10)
        try:
            if form is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            target = f"{url.path}?{url.query}" if url.query else url.path
            connection.request(method, target, None if form is None else urlencode(form), headers)
            answer = connection.getresponse()
            lowered = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, lowered, answer.read().decode())
        finally:
            connection.close()

    def ask(self, **changes: str | None) -> Answer:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters = {
            "client_id": "local",
            "redirect_uri": PAGE,
            "response_type": "code",
            "scope": "openid",
            "state": "s t&te",
            "nonce": "n-1",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return self.call("GET", f"/authorize?{urlencode(given)}")

    def sign_in(self, user: str = "alice", admin: bool = False, **changes: str | None) -> Answer:
        page = self.ask(**changes)
        assert page.status == 200, page.text
        form = Form(page.text)
        values = {**form.values, "user": user, "answer": "yes"}
        return self.call("POST", form.action, values | ({"administrator": "yes"} if admin else {}))

    def code(self, **given: Any) -> str:
        return self.sign_in(**given).location[1]["code"]

    def redeem(self, code: str, **changes: str) -> Answer:
        form = {"grant_type": "authorization_code", "client_id": "local", "redirect_uri": PAGE, "code": code}
        return self.call("POST", "/token", form | {"code_verifier": self.verifier} | changes)

    def refresh(self, token: str, **changes: str) -> Answer:
        form = {"grant_type": "refresh_token", "client_id": "local", "refresh_token": token}
        return self.call("POST", "/token", form | changes)

    def tokens(self, **given: Any) -> Any:
        answer = self.redeem(self.code(**given))
        assert answer.status == 200, answer.text
        return answer.document

    def checked(self, token: str, **options: Any) -> Any:
        """Return a token's claims, checked by the keys that the issuer publishes."""
        keys = jwt.PyJWKSet.from_dict(self.call("GET", "/jwks").document)
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=["RS256"], issuer="https://issuer.local.test", **options)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> TokenKey:
    return TokenKey.in_directory(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def running(key: TokenKey) -> Iterator[tuple[Issuer, Clock]]:
    clock = Clock()
    issuer = Issuer(key, lifetime=600, clock=clock)
    yield issuer, clock
    issuer.stop()


@pytest.fixture
def client(running: tuple[Issuer, Clock]) -> Client:
    return Client(*running)


def refused(answer: Answer) -> str:
    assert answer.status == 400
    assert answer.headers["cache-control"] == "no-store"
    assert "access_token" not in answer.document
    return str(answer.document["error"])


class TestMetadata:
    def test_it_names_addresses_of_this_server_and_an_issuer_with_a_name_of_its_own(self, client):
        document = client.call("GET", client.issuer.metadata_url).document
        assert client.issuer.metadata_url.endswith("/.well-known/openid-configuration")
        assert document["issuer"] == "https://issuer.local.test"
        addresses = {name: value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))}
        assert addresses == {
            "authorization_endpoint": f"{client.issuer.url}/authorize",
            "token_endpoint": f"{client.issuer.url}/token",
            "jwks_uri": f"{client.issuer.url}/jwks",
            "end_session_endpoint": f"{client.issuer.url}/logout",
        }
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["response_types_supported"] == ["code"]

    def test_only_public_keys_are_published(self, client):
        (published,) = client.call("GET", "/jwks").document["keys"]
        assert published.keys() == {"kty", "n", "e", "use", "alg", "kid"}

    @pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/authorize/"), ("GET", "/userinfo")])
    def test_there_is_nothing_else(self, client, method, path):
        assert client.call(method, path).status == 404

    @pytest.mark.parametrize(("method", "path"), [("GET", "/token"), ("PUT", "/authorize"), ("DELETE", "/jwks")])
    def test_other_methods_are_none(self, client, method, path):
        assert client.call(method, path).status == 405


class TestFlow:
    def test_a_user_signs_in_and_the_page_gets_tokens_for_them(self, client):
        address, parameters = client.sign_in("alice").location
        assert address == PAGE
        assert parameters["state"] == "s t&te"
        answer = client.redeem(parameters["code"])
        assert answer.headers["cache-control"] == "no-store"
        tokens = answer.document
        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 600, "openid")
        identity = client.checked(tokens["id_token"], audience="local")
        assert (identity["sub"], identity["nonce"]) == ("alice", "n-1")
        assert identity["exp"] - identity["iat"] == 600
        assert "cognito:groups" not in identity

    def test_access_tokens_are_as_cognitos_are(self, client):
        access = client.checked(client.tokens(admin=True)["access_token"])
        assert access["client_id"] == "local"
        assert "aud" not in access
        assert "nonce" not in access
        assert access["scope"] == "openid"
        assert access["cognito:groups"] == ["admin"]

    def test_any_name_will_do_and_none_is_lost_on_the_way(self, client):
        user = 'Zoë <O\'Brien> & "Co"'
        assert client.checked(client.tokens(user=user)["id_token"], audience="local")["sub"] == user

    def test_state_and_nonce_may_be_left_out(self, client):
        _, parameters = client.sign_in(state=None, nonce=None).location
        assert parameters.keys() == {"code"}
        tokens = client.redeem(parameters["code"]).document
        assert "nonce" not in client.checked(tokens["id_token"], audience="local")

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:1/", "http://127.0.0.1:65535", "http://127.0.0.1:5173/", PAGE]
    )
    def test_pages_on_this_machine_are_led_back_to(self, client, address):
        assert client.sign_in(redirect_uri=address).location[0] == address

    def test_who_cancels_is_led_back_without_a_code(self, client):
        form = Form(client.ask().text)
        address, parameters = client.call("POST", form.action, {**form.values, "answer": "no"}).location
        assert (address, parameters["error"], parameters["state"]) == (PAGE, "access_denied", "s t&te")
        assert "code" not in parameters


class TestPage:
    def test_it_needs_no_script_and_allows_none(self, client):
        page = client.ask()
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "script" not in Form(page.text).tags
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        style = page.text.partition("<style>")[2].partition("</style>")[0]
        assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
        assert page.headers["cache-control"] == "no-store"

    def test_a_hint_is_filled_in_and_never_markup(self, client):
        page = client.ask(login_hint='"><script>alert(1)</script>')
        assert "<script" not in page.text
        assert Form(page.text).values["user"] == '"><script>alert(1)</script>'

    @pytest.mark.parametrize("user", ["", "   ", "x" * 129])
    def test_a_user_has_a_name(self, client, user):
        answer = client.sign_in(user)
        assert answer.status == 400
        assert "Go back" in answer.text

    def test_an_answer_counts_once(self, client):
        form = Form(client.ask().text)
        values = {**form.values, "user": "alice", "answer": "yes"}
        assert client.call("POST", form.action, values).status == 303
        assert client.call("POST", form.action, values).status == 400

    def test_nobody_answers_a_request_that_was_not_made(self, client):
        values = {"request": "guessed", "user": "mallory", "answer": "yes", "redirect_uri": PAGE}
        assert client.call("POST", "/authorize", values).status == 400


class TestRefusedRequests:
    @pytest.mark.parametrize(
        "address",
        [
            None,
            "",
            "https://evil.example/",
            "http://127.0.0.1.evil.example:4000/admin",
            "http://127.0.0.1:4000@evil.example/admin",
            "http://127.0.0.1:4000/admin/",
            "http://127.0.0.1:4000/admin?next=x",
            "http://127.0.0.1:4000/admin#x",
            "http://127.0.0.1:4000/elsewhere",
            "https://127.0.0.1:4000/admin",
            "http://127.0.0.1/admin",
            "http://localhost:4000/admin",
            "javascript:alert(1)",
            f"{PAGE}\n",
        ],
    )
    def test_another_address_is_not_led_to(self, client, address):
        answer = client.ask(redirect_uri=address)
        assert answer.status == 400
        assert "location" not in answer.headers

    @pytest.mark.parametrize("client_id", [None, "", "other"])
    def test_another_client_is_told_nothing(self, client, client_id):
        answer = client.ask(client_id=client_id)
        assert answer.status == 400
        assert "location" not in answer.headers

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"scope": "email"}, "invalid_scope"),
            ({"scope": None}, "invalid_scope"),
            ({"prompt": "none"}, "login_required"),
            ({"nonce": "n" * 2049}, "invalid_request"),
        ],
    )
    def test_what_the_client_does_wrong_it_is_told(self, client, changes, error):
        address, parameters = client.ask(**changes).location
        assert (address, parameters["error"], parameters["state"]) == (PAGE, error, "s t&te")

    def test_a_parameter_that_is_given_twice_counts_for_neither(self, client):
        twice = client.call("GET", f"/authorize?client_id=local&redirect_uri={PAGE}&scope=openid&scope=email")
        assert twice.location[1]["error"] == "invalid_request"
        other = client.call("GET", f"/authorize?client_id=local&redirect_uri={PAGE}&redirect_uri=https://evil.example")
        assert other.status == 400


class TestCodes:
    def test_a_code_is_good_once_and_what_came_of_it_ends_with_its_second_use(self, client):
        code = client.code()
        tokens = client.redeem(code).document
        assert refused(client.redeem(code)) == "invalid_grant"
        assert refused(client.refresh(tokens["refresh_token"])) == "invalid_grant"

    @pytest.mark.parametrize("verifier", ["v" * 64, "", "short", "v" * 129, "ä" * 64])
    def test_another_verifier_gets_nothing_and_spends_the_code(self, client, verifier):
        code = client.code()
        assert refused(client.redeem(code, code_verifier=verifier)) == "invalid_grant"
        assert refused(client.redeem(code)) == "invalid_grant"

    def test_the_challenge_is_no_verifier(self, client):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(client.verifier.encode()).digest()).rstrip(b"=").decode()
        assert refused(client.redeem(client.code(), code_verifier=challenge)) == "invalid_grant"

    @pytest.mark.parametrize("address", ["http://127.0.0.1:4001/admin", f"{PAGE}/", ""])
    def test_a_code_is_redeemed_for_the_address_it_was_sent_to(self, client, address):
        assert refused(client.redeem(client.code(), redirect_uri=address)) == "invalid_grant"

    def test_a_code_lives_for_a_minute(self, client):
        code = client.code()
        client.clock.now += 61
        assert refused(client.redeem(code)) == "invalid_grant"

    def test_a_user_may_think_for_ten_minutes(self, client):
        form = Form(client.ask().text)
        client.clock.now += 601
        assert client.call("POST", form.action, {**form.values, "user": "alice", "answer": "yes"}).status == 400

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"client_id": "other"}, "invalid_client"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": ""}, "unsupported_grant_type"),
            ({}, "invalid_grant"),
        ],
    )
    def test_other_requests_for_tokens_are_refused(self, client, changes, error):
        assert refused(client.redeem("guessed", **changes)) == error

    def test_a_parameter_that_is_given_twice_is_refused(self, client):
        form = [("client_id", "local"), ("client_id", "local"), ("grant_type", "refresh_token")]
        assert refused(client.call("POST", "/token", form)) == "invalid_request"


class TestRenewal:
    def test_a_refresh_token_is_changed_for_a_new_one_with_new_tokens_for_the_same_user(self, client):
        first = client.tokens(user="bob", admin=True)
        second = client.refresh(first["refresh_token"]).document
        assert second["refresh_token"] != first["refresh_token"]
        before, after = (client.checked(each["id_token"], audience="local") for each in (first, second))
        assert {name: after[name] for name in ("sub", "sid", "auth_time", "cognito:groups")} == {
            name: before[name] for name in ("sub", "sid", "auth_time", "cognito:groups")
        }
        assert client.checked(second["access_token"])["jti"] != client.checked(first["access_token"])["jti"]
        assert client.refresh(second["refresh_token"]).status == 200

    def test_one_that_is_used_again_ends_its_successor(self, client):
        first = client.tokens()
        second = client.refresh(first["refresh_token"]).document
        assert refused(client.refresh(first["refresh_token"])) == "invalid_grant"
        assert refused(client.refresh(second["refresh_token"])) == "invalid_grant"

    def test_what_another_signed_in_goes_on(self, client):
        mine, other = client.tokens(user="alice"), client.tokens(user="alice")
        client.refresh(mine["refresh_token"])
        client.refresh(mine["refresh_token"])
        assert client.refresh(other["refresh_token"]).status == 200

    def test_it_lives_for_twelve_hours(self, client):
        tokens = client.tokens()
        client.clock.now += 12 * 3600 + 1
        assert refused(client.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_another_client_may_not_use_it(self, client):
        assert refused(client.refresh(client.tokens()["refresh_token"], client_id="other")) == "invalid_client"

    def test_a_code_is_no_refresh_token(self, client):
        assert refused(client.refresh(client.code())) == "invalid_grant"


class TestLogout:
    def test_it_ends_the_refresh_token_and_leads_back(self, client):
        tokens = client.tokens()
        query = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": PAGE, "state": "out"})
        assert client.call("GET", f"/logout?{query}").location == (PAGE, {"state": "out"})
        assert refused(client.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_an_expired_id_token_still_says_who_signs_out(self, client, key):
        tokens = client.tokens()
        sid = client.checked(tokens["id_token"], audience="local")["sid"]
        expired = key.issue("alice", lifetime=-60, claims={"sid": sid})
        assert client.call("POST", "/logout", {"id_token_hint": expired}).status == 200
        assert refused(client.refresh(tokens["refresh_token"])) == "invalid_grant"

    def test_a_hint_of_another_issuer_ends_nothing(self, client, tmp_path):
        tokens = client.tokens()
        sid = client.checked(tokens["id_token"], audience="local")["sid"]
        forged = TokenKey.in_directory(tmp_path).issue("alice", claims={"sid": sid})
        assert client.call("GET", f"/logout?id_token_hint={forged}").status == 400
        assert client.refresh(tokens["refresh_token"]).status == 200

    @pytest.mark.parametrize(
        "query",
        [
            {"client_id": "local", "post_logout_redirect_uri": "https://evil.example/"},
            {"client_id": "other", "post_logout_redirect_uri": PAGE},
            {"post_logout_redirect_uri": PAGE},
        ],
    )
    def test_nobody_is_led_elsewhere_or_by_somebody_else(self, client, query):
        answer = client.call("GET", f"/logout?{urlencode(query)}")
        assert answer.status == 400
        assert "location" not in answer.headers

    def test_without_an_address_it_says_so(self, client):
        assert "Signed out" in client.call("GET", "/logout").text


class TestOrigins:
    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/.well-known/openid-configuration"), ("GET", "/jwks"), ("POST", "/token")]
    )
    def test_pages_on_this_machine_may_read_metadata_keys_and_tokens(self, client, method, path):
        answer = client.call(method, path, Origin=ORIGIN)
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
        preflight = client.call("OPTIONS", path, Origin=ORIGIN)
        assert preflight.status == 204
        assert preflight.headers["access-control-allow-methods"] == method

    @pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1.evil.example:80", "null"])
    def test_no_other_page_may(self, client, origin):
        for path in ("/.well-known/openid-configuration", "/jwks", "/token"):
            answer = client.call("POST" if path == "/token" else "GET", path, Origin=origin)
            assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("path", ["/authorize", "/logout"])
    def test_what_users_visit_no_page_reads(self, client, path):
        assert "access-control-allow-origin" not in client.call("GET", path, Origin=ORIGIN).headers
        assert client.call("OPTIONS", path, Origin=ORIGIN).status == 405

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1"])
    def test_another_name_for_this_address_is_refused(self, client, host):
        assert client.call("GET", "/jwks", Host=host).status in (400, 403)

    def test_a_huge_form_is_not_read(self, client):
        assert client.call("POST", "/token", {"code": "x" * 100_000}).status == 413
