"""The function that serves the admin page: which files, to whom, with which headers; and when it does not start."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from admin_page import handler
from admin_page.errors import CannotStart
from admin_page.files import PageFiles
from admin_page.page import AdminPage
from admin_page.settings import PageSettings

INDEX = b"<!doctype html><title>Admin</title><script type=module src=/admin/assets/index-Ab12.js></script>"
SCRIPT = b"export const many = 'of these words, of these words, of these words';\n" * 40
ENVIRONMENT = {
    "JWT_ISSUER": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc",
    "ADMIN_CLIENT_ID": "client-1",
    "ADMIN_GROUP": "admin",
    "SIGN_IN_ORIGINS": "https://sign-in.example,https://other.example:8443",
    "SIGN_IN_SCOPES": "openid email",
    "OIDC_METADATA_URL": "",
    "AWS_REGION": "eu-west-1",
    "STACK_NAME": "sessions",
}
SETTINGS = PageSettings.from_environment(ENVIRONMENT)
ASSET = "GET /admin/assets/{file}"


@pytest.fixture
def folder(tmp_path):
    """A page of two assets, with files around it that are nobody's business."""
    static = tmp_path / "static"
    (static / "assets" / "deeper").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (static / "index.html").write_bytes(INDEX)
    (static / "assets" / "index-Ab12.js").write_bytes(SCRIPT)
    (static / "assets" / "dot-Cd34.png").write_bytes(b"\x89PNG\xff\x00")
    (static / "assets" / "deeper" / "deep.js").write_text("deep")
    return static


@pytest.fixture
def page(folder):
    return AdminPage(PageFiles.in_folder(folder), SETTINGS)


def asked(route: str, file: str | None = None, **headers: str) -> dict[str, Any]:
    event = {"routeKey": route, "headers": {name.replace("_", "-"): value for name, value in headers.items()}}
    return event if file is None else {**event, "pathParameters": {"file": file}}


def body(answer: dict[str, Any]) -> bytes:
    assert answer["isBase64Encoded"] is True
    return base64.b64decode(answer["body"], validate=True)


class TestFiles:
    def test_the_document_is_html_that_nobody_keeps(self, page):
        answer = page.answer(asked("GET /admin"))
        assert (answer["statusCode"], body(answer)) == (200, INDEX)
        assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
        assert answer["headers"]["Cache-Control"] == "no-store"

    def test_a_document_that_came_before_is_sent_again(self, page):
        tag = page.answer(asked("GET /admin"))["headers"]["ETag"]
        assert page.answer(asked("GET /admin", if_none_match=tag))["statusCode"] == 200

    @pytest.mark.parametrize(
        ("name", "content", "kind"),
        [
            ("index-Ab12.js", SCRIPT, "text/javascript; charset=utf-8"),
            ("dot-Cd34.png", b"\x89PNG\xff\x00", "image/png"),
        ],
    )
    def test_an_asset_is_kept_for_ever(self, page, name, content, kind):
        answer = page.answer(asked(ASSET, name))
        assert (answer["statusCode"], body(answer)) == (200, content)
        assert answer["headers"]["Content-Type"] == kind
        assert answer["headers"]["Cache-Control"] == "public, max-age=31536000, immutable"

    @pytest.mark.parametrize(
        "name",
        [
            "../index.html",
            "..%2findex.html",
            "../../secret.txt",
            "..\\index.html",
            "..",
            ".",
            "",
            "/etc/passwd",
            "deeper",
            "deeper/deep.js",
            "./index-Ab12.js",
            "INDEX-AB12.JS",
            "index-Ab12.js/",
            "index-Ab12.js\x00",
            "index-Ab12",
            "no-such-file.js",
            "\udcff",
        ],
    )
    def test_any_other_name_is_no_file(self, page, name):
        answer = page.answer(asked(ASSET, name))
        assert answer["statusCode"] == 404
        assert json.loads(body(answer)) == {"statusCode": 404, "message": "There is no such file."}
        assert answer["headers"]["Cache-Control"] == "no-store"

    def test_a_file_that_came_after_the_start_is_no_file(self, page, folder):
        (folder / "assets" / "late.js").write_text("late")
        assert page.answer(asked(ASSET, "late.js"))["statusCode"] == 404

    @pytest.mark.parametrize(
        "route", ["HEAD /admin", "POST /admin", "GET /admin/", "GET /admin/{file}", "$default", "", None]
    )
    def test_any_other_route_is_none(self, page, route):
        assert page.answer(asked(route, "index-Ab12.js"))["statusCode"] == 404

    def test_a_request_without_headers_or_parameters_is_answered(self, page):
        assert page.answer({"routeKey": "GET /admin"})["statusCode"] == 200
        assert page.answer({"routeKey": ASSET})["statusCode"] == 404


class TestEncodings:
    @pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "deflate, GZIP;q=0.5", "gzip; q=1.0, *;q=0"])
    def test_gzip_when_it_is_asked_for(self, page, accepted):
        answer = page.answer(asked(ASSET, "index-Ab12.js", accept_encoding=accepted))
        assert answer["headers"]["Content-Encoding"] == "gzip"
        assert gzip.decompress(body(answer)) == SCRIPT
        assert len(body(answer)) < len(SCRIPT)

    @pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip", "*"])
    def test_the_file_itself_when_it_is_not(self, page, accepted):
        answer = page.answer(asked(ASSET, "index-Ab12.js", accept_encoding=accepted))
        assert "Content-Encoding" not in answer["headers"]
        assert body(answer) == SCRIPT

    def test_what_gzip_makes_larger_is_left_as_it_is(self, page):
        answer = page.answer(asked(ASSET, "dot-Cd34.png", accept_encoding="gzip"))
        assert "Content-Encoding" not in answer["headers"]
        assert body(answer) == b"\x89PNG\xff\x00"

    def test_each_encoding_has_a_tag_of_its_own_that_spares_the_next_answer_its_body(self, page):
        plain = page.answer(asked(ASSET, "index-Ab12.js"))["headers"]["ETag"]
        zipped = page.answer(asked(ASSET, "index-Ab12.js", accept_encoding="gzip"))["headers"]["ETag"]
        assert plain != zipped
        again = page.answer(asked(ASSET, "index-Ab12.js", accept_encoding="gzip", if_none_match=f'"old", {zipped}'))
        assert (again["statusCode"], body(again)) == (304, b"")
        assert again["headers"]["ETag"] == zipped
        assert "Content-Encoding" not in again["headers"]
        assert page.answer(asked(ASSET, "index-Ab12.js", if_none_match=zipped))["statusCode"] == 200

    def test_caches_are_told_what_the_answer_depends_on(self, page):
        assert page.answer(asked(ASSET, "index-Ab12.js"))["headers"]["Vary"] == "Accept-Encoding"


class TestHeaders:
    ALL = (asked("GET /admin"), asked("GET /admin/config.json"), asked(ASSET, "index-Ab12.js"), asked("GET /nothing"))

    @pytest.mark.parametrize("event", ALL, ids=["document", "settings", "asset", "none"])
    def test_every_answer_says_what_the_page_may_do(self, page, event):
        headers = page.answer(event)["headers"]
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self' https://cognito-idp.eu-west-1.amazonaws.com https://sign-in.example "
            "https://other.example:8443; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"

    @pytest.mark.parametrize(
        ("changes", "reachable"),
        [
            ({"SIGN_IN_ORIGINS": ""}, ("https://cognito-idp.eu-west-1.amazonaws.com",)),
            (
                {"OIDC_METADATA_URL": "http://127.0.0.1:7/meta", "SIGN_IN_ORIGINS": "http://127.0.0.1:7"},
                ("http://127.0.0.1:7",),
            ),
            (
                {"SIGN_IN_ORIGINS": "https://cognito-idp.eu-west-1.amazonaws.com"},
                ("https://cognito-idp.eu-west-1.amazonaws.com",),
            ),
        ],
        ids=["the issuer's alone", "the metadata's instead", "named twice"],
    )
    def test_what_it_reaches_is_the_metadata_and_the_given_origins(self, changes, reachable):
        assert PageSettings.from_environment(ENVIRONMENT | changes).reachable == reachable


class TestHandler:
    @pytest.mark.parametrize(("route", "status"), [("GET /admin/config.json", 200), ("GET /nothing", 404)])
    def test_it_answers_by_the_settings_of_its_environment(self, monkeypatch, route, status):
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        handler.admin_page.cache_clear()
        answer = handler.lambda_handler(asked(route), None)
        handler.admin_page.cache_clear()
        assert answer["statusCode"] == status


class TestSettings:
    def test_the_page_reads_whom_it_signs_in_with(self, page):
        answer = page.answer(asked("GET /admin/config.json"))
        assert answer["statusCode"] == 200
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert json.loads(body(answer)) == {
            "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc",
            "clientId": "client-1",
            "scope": "openid email",
            "metadataUrl": None,
            "apiUrl": "",
            "groupHint": "admin",
            "region": "eu-west-1",
            "stack": "sessions",
        }

    def test_metadata_that_is_elsewhere_is_named(self, page):
        elsewhere = AdminPage(page.files, replace(SETTINGS, metadata_url="https://login.example/meta"))
        assert json.loads(body(elsewhere.answer(asked("GET /admin/config.json"))))["metadataUrl"] == (
            "https://login.example/meta"
        )

    @pytest.mark.parametrize(
        "name", ["JWT_ISSUER", "ADMIN_CLIENT_ID", "ADMIN_GROUP", "SIGN_IN_SCOPES", "AWS_REGION", "STACK_NAME"]
    )
    @pytest.mark.parametrize("value", [None, " "])
    def test_one_that_is_missing_is_named(self, name, value):
        environment = {key: kept for key, kept in ENVIRONMENT.items() if key != name}
        with pytest.raises(CannotStart, match=f"^{name} is not set$"):
            PageSettings.from_environment(environment if value is None else environment | {name: value})


class TestStart:
    def test_a_page_that_is_not_built_is_no_page(self, tmp_path):
        with pytest.raises(CannotStart, match=r"not built: .* must hold index\.html and assets/"):
            PageFiles.in_folder(tmp_path / "static")

    def test_nor_is_a_document_without_assets(self, folder):
        for path in (folder / "assets").glob("*.*"):
            path.unlink()
        with pytest.raises(CannotStart, match="not built"):
            PageFiles.in_folder(folder)

    def test_nor_are_assets_without_a_document(self, folder):
        (folder / "index.html").unlink()
        with pytest.raises(CannotStart, match="not built"):
            PageFiles.in_folder(folder)

    @pytest.mark.parametrize("name", ["index-Ab12.js.map", "LICENSE"])
    def test_a_file_of_no_known_type_is_named(self, folder, name):
        (folder / "assets" / name).write_text("{}")
        with pytest.raises(CannotStart, match=name):
            PageFiles.in_folder(folder)
