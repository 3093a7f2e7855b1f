"""The example chat by HTTP: the committed build, what it is told, and the policy that it runs under."""

import http.client
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local import LocalStackError
from local.example import Example

CONFIG = {
    "api": "http://127.0.0.1:1111/stage",
    "issuer": "https://issuer.local.test",
    "clientId": "local",
    "scope": "openid",
    "metadataUrl": "http://127.0.0.1:2222/.well-known/openid-configuration",
}


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    with Example() as example:
        example.config = CONFIG
        yield example


def get(example: Example, path: str, method: str = "GET", host: str | None = None) -> tuple[int, dict[str, str], str]:
    address = urlsplit(example.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request(method, path, headers={"Host": host or address.netloc})
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    text = response.read().decode()
    connection.close()
    return response.status, headers, text


def test_the_document_and_all_that_it_loads_are_there(example):
    status, headers, text = get(example, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert {path.rpartition(".")[2] for path in loaded} >= {"js", "css", "svg"}
    for path in loaded:
        status, headers, text = get(example, path)
        assert status == 200, path
        assert text, path
        assert headers["x-content-type-options"] == "nosniff"


def test_nothing_in_the_document_needs_more_than_the_policy_gives(example):
    _, headers, text = get(example, "/")
    policy = headers["content-security-policy"]
    assert policy.split("; ")[:3] == ["default-src 'none'", "script-src 'self'", "style-src 'self'"]
    assert "connect-src 'self' http://127.0.0.1:1111 http://127.0.0.1:2222;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in text
    assert all("src=" in script for script in re.findall(r"<script[^>]*>", text))
    assert not re.search(r'(?:src|href)="(?!/)', text), "a third party's"


def test_it_is_told_where_the_stack_is(example):
    status, headers, text = get(example, "/config.json")
    assert (status, headers["cache-control"], json.loads(text)) == (200, "no-store", CONFIG)


def test_it_says_so_while_there_is_no_stack():
    with Example() as early:
        assert get(early, "/config.json")[0] == 503


@pytest.mark.parametrize(
    "path", ["/nothing", "/assets/", "/../server.py", "/assets/..%2f..%2fserver.py", "//etc/passwd"]
)
def test_only_files_of_the_build_are_served(example, path):
    assert get(example, path)[0] == 404


def test_what_is_no_reading_is_refused(example):
    assert get(example, "/", method="POST")[0] == 405
    assert get(example, "/", method="HEAD")[::2] == (200, "")


def test_another_name_for_this_machine_is_refused(example):
    assert get(example, "/config.json", host="attacker.example")[0] == 403


@pytest.mark.parametrize(("file", "problem"), [("main.js", "not built"), ("page.exe", "unknown here: /page.exe")])
def test_a_build_that_is_none_is_named(tmp_path, file, problem):
    if file != "main.js":
        (tmp_path / "index.html").touch()
    (tmp_path / file).touch()
    with pytest.raises(LocalStackError, match=problem):
        Example(folder=tmp_path)


def test_a_busy_port_is_named(example):
    with pytest.raises(LocalStackError, match="is in use"):
        Example(urlsplit(example.url).port or 0)
