"""The admin page on the local stack: open routes beside closed ones, and signing in for the API."""

import base64
import gzip
import hashlib
import http.client
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local import LocalStack
from local.__main__ import description

ROOT = Path(__file__).parents[2]
INDEX = b"<!doctype html><title>Admin</title><script type=module src=/admin/assets/app-1.js></script>"
SCRIPT = b"export const words = 'again and again and again';\n" * 50


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The application with a page of two files, whatever the committed one is."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "template.yaml", project)
    shutil.copytree(ROOT / "functions", project / "functions", ignore=shutil.ignore_patterns("static", "__pycache__"))
    (project / "layers").symlink_to(ROOT / "layers")
    static = project / "functions/admin_page/static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_bytes(INDEX)
    (static / "assets/app-1.js").write_bytes(SCRIPT)
    with LocalStack(project / "template.yaml", state_directory=project / "state", sign_in_lifetime=900) as stack:
        yield stack


def call(url: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a path as it is written: a client that cleans it up would hide what the stack makes of it."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def post(url: str, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    return call(url, "POST", urlencode(form), **{"Content-Type": "application/x-www-form-urlencoded"})


def signed_in(stack: LocalStack, user: str, admin: bool = False) -> dict[str, Any]:
    """Sign in as the page does, by what the page is told alone; return the tokens."""
    config = json.loads(call(f"{stack.api_url}/admin/config.json")[2])
    metadata = json.loads(call(config["metadataUrl"])[2])
    assert metadata["issuer"] == config["issuer"]
    verifier = secrets.token_urlsafe(48)
    request = {
        "client_id": config["clientId"],
        "redirect_uri": f"{stack.api_url}/admin",
        "response_type": "code",
        "scope": config["scope"],
        "state": "st",
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    _, _, page = call(f"{metadata['authorization_endpoint']}?{urlencode(request)}")
    (asked,) = re.findall(r'name="request" value="([^"]+)"', page.decode())
    answer = {"request": asked, "user": user, "answer": "yes"} | ({"administrator": "yes"} if admin else {})
    status, headers, _ = post(metadata["authorization_endpoint"], answer)
    assert status == 303
    back = urlsplit(headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == stack.outputs["AdminPageUrl"]
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(back.query)["code"][0],
        "client_id": config["clientId"],
        "redirect_uri": f"{stack.api_url}/admin",
        "code_verifier": verifier,
    }
    status, _, body = post(metadata["token_endpoint"], form)
    assert status == 200
    tokens: dict[str, Any] = json.loads(body)
    return tokens


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_page_is_served_to_anyone(stack):
    status, headers, body = call(stack.outputs["AdminPageUrl"])
    assert (status, body) == (200, INDEX)
    assert headers["cache-control"] == "no-store"
    assert f"connect-src 'self' {stack.issuer_url};" in headers["content-security-policy"]


def test_its_code_comes_zipped_and_is_kept(stack):
    url = f"{stack.api_url}/admin/assets/app-1.js"
    status, headers, body = call(url, **{"Accept-Encoding": "gzip, br"})
    assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert gzip.decompress(body) == SCRIPT
    assert "immutable" in headers["cache-control"]
    again = call(url, **{"Accept-Encoding": "gzip, br", "If-None-Match": headers["etag"]})
    assert (again[0], again[2]) == (304, b"")


def test_it_is_told_where_to_sign_in(stack):
    assert json.loads(call(f"{stack.api_url}/admin/config.json")[2]) == {
        "issuer": "https://issuer.local.test",
        "clientId": "local",
        "scope": "openid",
        "metadataUrl": f"{stack.issuer_url}/.well-known/openid-configuration",
        "apiUrl": "",
        "groupHint": "admin",
        "region": "us-east-1",
        "stack": "local",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/admin/assets/../index.html",
        "/admin/assets/..%2Findex.html",
        "/admin/assets/..%2F..%2Fhandler.py",
        "/admin/assets/%2e%2e%2fhandler.py",
        "/admin/assets/..%5chandler.py",
        "/admin/assets/%2Fetc%2Fpasswd",
        "/admin/assets/..%252f..%252fhandler.py",
        "/admin/assets//etc/passwd",
        "/admin/assets/%00",
        "/admin/assets/",
        "/admin/assets",
        "/admin/",
        "/admin/index.html",
        "/admin/handler.py",
    ],
)
def test_nothing_else_of_the_functions_folder_is_served(stack, path):
    assert call(stack.api_url + path)[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_have_no_route(stack, method):
    assert call(stack.outputs["AdminPageUrl"], method)[0] == 404


@pytest.mark.parametrize("path", ["/session", "/session/1", "/session/encryption/config"])
def test_open_routes_open_no_others(stack, path):
    assert call(stack.api_url + path)[0] == 401


def test_who_signed_in_calls_the_api(stack):
    tokens = signed_in(stack, "alice")
    assert tokens["expires_in"] == 900
    for token in (tokens["access_token"], stack.token("alice")):
        status, _, body = call(f"{stack.api_url}/session/encryption/config", **bearer(token))
        assert (status, json.loads(body)["enabled"]) == (200, True)


@pytest.mark.parametrize(("admin", "status"), [(False, 403), (True, 200)], ids=["a user", "an administrator"])
def test_only_administrators_switch(stack, admin, status):
    headers = bearer(signed_in(stack, "carol", admin=admin)["access_token"]) | {"Content-Type": "application/json"}
    body = json.dumps({"enabled": True, "version": 0})
    assert call(f"{stack.api_url}/session/encryption/config", "PUT", body, **headers)[0] == status


def test_sessions_are_those_of_who_signed_in(stack):
    mine = bearer(signed_in(stack, "alice")["access_token"])
    theirs = bearer(signed_in(stack, "bob")["access_token"])
    body = json.dumps({"history": [{"text": "hello"}]})
    assert call(f"{stack.api_url}/session/s-1", "PUT", body, **mine, **{"Content-Type": "application/json"})[0] == 201
    assert call(f"{stack.api_url}/session/s-1", **mine)[0] == 200
    assert call(f"{stack.api_url}/session/s-1", **theirs)[0] == 404


def test_renewed_tokens_call_the_api(stack):
    metadata = json.loads(call(f"{stack.issuer_url}/.well-known/openid-configuration")[2])
    form = {"grant_type": "refresh_token", "client_id": "local"}
    form["refresh_token"] = signed_in(stack, "alice")["refresh_token"]
    renewed = json.loads(post(metadata["token_endpoint"], form)[2])
    assert call(f"{stack.api_url}/session", **bearer(renewed["access_token"]))[0] == 200


def test_the_page_is_announced(stack):
    assert f"Admin page    {stack.api_url}/admin\n" in description(stack)


def test_its_function_logs_nobodys_code(stack):
    tokens = signed_in(stack, "alice")
    call(f"{stack.outputs['AdminPageUrl']}?code=a-code&state=a-state", **bearer(tokens["access_token"]))
    log = stack.log_files["AdminPageFunction"].read_text()
    assert "a-code" not in log
    assert tokens["access_token"] not in log
