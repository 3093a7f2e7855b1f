"""Sessions, requests and a world around the reader: what its tests put in front of it and what they look at after."""

import base64
import json
import uuid
from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qsl

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader

from item_crypto.core.codec import Item
from reader import application, handler, item
from tests import lisa
from tests.faults import FunctionFaults
from tests.tables import Index, create_table

TABLE: Final = "sessions"
INDEX: Final = "byUserId"
CONTEXT: Final = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 28_000)
SECRET: Final = "the landlord's name is Wilhelmine"
_LOADER: Final = create_loader()  # Service descriptions are read once, not once a test.
HISTORY: Final = {"L": [{"M": {"type": {"S": "human"}, "content": {"S": SECRET}, "at": {"N": "1767340800.25"}}}]}
CONFIGURATION: Final = {"M": {"model": {"S": "small"}, "prompt": {"S": SECRET}}}


def session(session_id: str = "dlg-1", user: str = "alice", **attributes: Any) -> dict[str, Any]:
    """Return a session as a plain writer stores it; an attribute given as None is left out."""
    values = {
        "sessionId": {"S": session_id},
        "userId": {"S": user},
        "name": {"S": "Tides"},
        "startTime": {"S": "2026-01-02T08:00:00+00:00"},
        "createTime": {"S": "2026-01-02T08:00:00+00:00"},
        "lastUpdated": {"S": "2026-01-02T08:00:00+00:00"},
        "history": HISTORY,
        "configuration": CONFIGURATION,
        **attributes,
    }
    return {name: value for name, value in values.items() if value is not None}


def lisa_session(kms: Any, key_arn: str, plain: Item, keep_plaintext: bool = False) -> dict[str, Any]:
    """Return a session in LISA's old form; LISA itself leaves the plaintext where it was."""
    context = {
        "userId": plain["userId"]["S"],
        "sessionId": plain["sessionId"]["S"],
        "purpose": "session-encryption",
    }
    stored = dict(plain)
    for name in ("history", "configuration"):
        if name in plain:
            content = lisa.number(lisa.plain(plain[name]))
            stored[f"encrypted_{name}"] = {"S": lisa.ciphertext(kms, key_arn, content, context)}
            if not keep_plaintext:
                del stored[name]
    return {**stored, "encryption_version": {"S": "1.0"}, "is_encrypted": {"BOOL": True}}


def jwt(user: str, **claims: str) -> dict[str, Any]:
    return {"jwt": {"claims": {"sub": user, "iss": "https://issuer.example", **claims}, "scopes": None}}


def iam(user_id: str | None, **facts: Any) -> dict[str, Any]:
    """Return what API Gateway says of a request signed with IAM credentials."""
    return {
        "iam": {
            "accessKey": "AKIAIOSFODNN7EXAMPLE",
            "accountId": "111122223333",
            "callerId": user_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::111122223333:user/somebody",
            "userId": user_id,
            **facts,
        }
    }


def cognito(identity_id: str, amr: str = "authenticated") -> dict[str, Any]:
    identity = {"amr": [amr], "identityId": identity_id, "identityPoolId": "eu-central-1:pool"}
    return iam("AROACOGNITO:CognitoIdentityCredentials", cognitoIdentity=identity)


def request(
    method: str,
    session_id: str | None = None,
    body: str | bytes | None = None,
    authorizer: Mapping[str, Any] | None = None,
    query: str = "",
    content_type: str | None = "application/json",
    stage: str = "$default",
) -> dict[str, Any]:
    """Return an event of payload format 2.0; bytes arrive as base64, as API Gateway hands over what is not text."""
    route = "/session" if session_id is None else "/session/{sessionId}"
    prefix = "" if stage == "$default" else f"/{stage}"
    path = prefix + ("/session" if session_id is None else f"/session/{session_id}")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {route}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "api.example", "authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.token"},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "t"},
            "requestId": "r-1",
            "routeKey": f"{method} {route}",
            "stage": stage,
            "timeEpoch": 1767340800000,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if content_type is not None:
        event["headers"]["content-type"] = content_type
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if session_id is not None:
        event["pathParameters"] = {"sessionId": session_id}
    if authorizer is not None:
        event["requestContext"]["authorizer"] = authorizer
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


class World:
    """A table and a key on moto, a reader over them, and the faults that a test puts in between.

    Attributes:
        faults: of the functions' calls.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        boto3.setup_default_session(botocore_session=session)
        self.dynamodb = boto3.client("dynamodb")
        self.kms = boto3.client("kms")
        self.key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.earlier_key_arn = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.calls: list[str] = []
        self.faults = FunctionFaults(self.set)
        self._monkeypatch = monkeypatch
        create_table(
            self.dynamodb,
            TABLE,
            "sessionId",
            "userId",
            index=Index(INDEX, ("userId", "startTime"), ("name", "createTime", "lastUpdated", "is_encrypted")),
        )
        self.set(
            TABLE_NAME=TABLE,
            SESSION_ENCRYPTION_KEY_ARN=self.key_arn,
            EARLIER_KEY_ARNS=self.earlier_key_arn,
            ENCRYPTED_ATTRIBUTES="history,configuration",
            CONTEXT_ATTRIBUTES="userId,sessionId",
            CONTEXT_PURPOSE="session-encryption",
            USER_INDEX_NAME=INDEX,
            USER_CLAIM="sub",
            TRUSTED_ROLE_IDS="AROATRUSTED",
            # Powertools keeps a logger, and the stream it writes to, by this name.
            POWERTOOLS_SERVICE_NAME=f"test-{uuid.uuid4()}",
        )
        # Clients made from here on, which are the reader's, are listened to.
        session.register("before-call", lambda model, **_: self.calls.append(model.name))

    def set(self, **environment: str) -> None:
        """Change the functions' environment; they start anew."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        application.reader.cache_clear()
        application.item_reader.cache_clear()

    # The functions

    def call(self, method: str, session_id: str | None = None, user: str = "alice", **options: Any) -> "Answer":
        """Send a request of ``user``, known by a token where no other authorizer is given."""
        event = request(method, session_id, **{"authorizer": jwt(user), **options})
        return Answer(handler.lambda_handler(event, CONTEXT))

    def put(self, session_id: str, content: Any, **options: Any) -> "Answer":
        body = content if isinstance(content, str | bytes) else json.dumps(content)
        return self.call("PUT", session_id, body=body, **options)

    def item(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the item reader."""
        return item.lambda_handler(event, CONTEXT)

    # The table, as other writers see it

    def store(self, content: Item) -> None:
        self.dynamodb.put_item(TableName=TABLE, Item=dict(content))

    def stored(self, session_id: str = "dlg-1", user: str = "alice") -> dict[str, Any]:
        key = {"sessionId": {"S": session_id}, "userId": {"S": user}}
        return dict(self.dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {}))

    def update(self, name: str, value: Any, session_id: str = "dlg-1", user: str = "alice") -> None:
        """Set one attribute, as a plain writer does."""
        self.dynamodb.update_item(
            TableName=TABLE,
            Key={"sessionId": {"S": session_id}, "userId": {"S": user}},
            UpdateExpression="SET #n = :v",
            ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": value},
        )


class Answer:
    """A response, its body read with numbers as Decimal."""

    def __init__(self, response: dict[str, Any]) -> None:
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]
        self.text: str = response["body"] or ""
        assert response["isBase64Encoded"] is False

    @property
    def body(self) -> Any:
        return json.loads(self.text, parse_float=Decimal, parse_int=Decimal)


def json_lines(output: str) -> list[dict[str, Any]]:
    """Return the lines of JSON that a function wrote."""
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def audit_lines(output: str) -> list[dict[str, Any]]:
    return [line for line in json_lines(output) if line.get("audit")]


def metrics(output: str) -> dict[str, Any]:
    """Return the metrics in a function's output by name; a list where a metric has several values."""
    found: dict[str, Any] = {}
    for line in json_lines(output):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            found |= {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    return found
