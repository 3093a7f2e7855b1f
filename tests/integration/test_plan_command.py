"""`stream-encryptor plan`, from its arguments to its exit code, against tables in moto."""

import gzip
import json
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result
from moto.core import set_initial_no_auth_action_count
from typer.testing import CliRunner

from dynamodb_stream_encryptor.__main__ import app
from tests import lisa
from tests.scene import REGION
from tests.tables import Index, create_table, key_schema
from tests.trail_events import event

pytestmark = pytest.mark.usefixtures("aws")

ATTRIBUTES = ("--attributes", "card,address")
KEYS_ONLY = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
KEY_ARN = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def plan(*arguments: str, table: str = "orders") -> Result:
    return CliRunner().invoke(app, ["plan", "--table", table, *arguments])


def document(*arguments: str, table: str = "orders", code: int = 0) -> Any:
    result = plan("--json", *arguments, table=table)
    assert result.exit_code == code, result.stderr
    return json.loads(result.stdout)


def codes(found: Mapping[str, Any]) -> list[str]:
    return [finding["code"] for finding in found["inTheWay"]]


def with_stream(name: str = "orders", **specification: Any) -> None:
    boto3.client("dynamodb").update_table(TableName=name, StreamSpecification={**KEYS_ONLY, **specification})


@pytest.fixture
def orders() -> Any:
    """A table of orders with a numeric key and a stream, empty."""
    create_table(boto3.client("dynamodb"), "orders", "orderId", types={"orderId": "N"})
    with_stream()
    return boto3.resource("dynamodb").Table("orders")


@pytest.fixture
def filled(orders: Any) -> Any:
    with orders.batch_writer() as batch:
        for number in range(40):
            batch.put_item(order(number))
    return orders


def order(number: int, **more: Any) -> dict[str, Any]:
    return {
        "orderId": Decimal(number),
        "card": {"number": "4111 1111 1111 1111", "holder": f"Holder {number}"},
        "address": "12 Harbour Street, " * (number % 4 + 1),
        "total": Decimal(number * 3),
        **more,
    }


class TestOrders:
    def test_nothing_stands_in_the_way_of_a_plain_table(self, filled):
        result = plan(*ATTRIBUTES)
        assert result.exit_code == 0, result.stderr
        assert "Nothing stands in the way of encrypting card, address, of 40 items looked at." in result.stdout
        assert "orderId (N)" in result.stdout

    def test_the_document_tells_all(self, filled):
        found = document(*ATTRIBUTES)
        assert found["verdict"] == "ready"
        assert found["table"]["keys"] == [{"name": "orderId", "type": "N"}]
        assert found["looked"] == {"items": 40, "full": True, "asked": 1000, **ignored(found["looked"])}
        assert found["states"] == {"toEncrypt": 40, "encrypted": 0, "deferred": 0, "nothing": 0, "failing": 0}
        attributes = {attribute["name"]: attribute for attribute in found["attributes"]}
        assert attributes["card"]["types"] == {"M": 40}
        assert attributes["address"]["items"] == 40
        assert found["growth"]["before"]["count"] == 40
        assert found["growth"]["after"]["total"] > found["growth"]["before"]["total"]
        assert found["cost"]["once"]["total"]["kmsRequests"] == 40
        assert found["cost"]["once"]["total"]["writeUnits"] == 40 * found["cost"]["perItem"]["writeUnits"]
        assert found["suggestion"]["rate"] >= 1
        assert found["callers"] is None

    def test_each_encoding_is_told_and_the_chosen_one_is_the_plans(self, filled):
        text, binary = document(*ATTRIBUTES), document(*ATTRIBUTES, "--encoding", "binary")
        for found, chosen in ((text, "base64"), (binary, "binary")):
            in_each = {one["name"]: one for one in found["growth"]["encodings"]}
            assert found["choice"]["encoding"] == chosen
            assert in_each[chosen]["after"] == found["growth"]["after"]
            assert in_each[chosen]["writeUnits"] == found["cost"]["perItem"]["writeUnits"]
            assert in_each["binary"]["after"]["total"] < in_each["base64"]["after"]["total"]
        assert "CiphertextEncoding" not in text["suggestion"]["parameters"]
        assert binary["suggestion"]["parameters"]["CiphertextEncoding"] == "binary"
        assert "As binary (--encoding binary) these items would take" in plan(*ATTRIBUTES).stdout
        assert plan(*ATTRIBUTES, "--encoding", "hex").exit_code == 2

    def test_the_schema_is_held(self, filled):
        """What a script may build on; a member that goes or is renamed asks for another formatVersion."""
        found = document(*ATTRIBUTES)
        assert found["formatVersion"] == 1
        assert set(found) == {
            "formatVersion", "generatedAt", "verdict", "inTheWay", "toKnow", "table", "choice", "looked", "items",
            "attributes", "furtherAttributes", "traffic", "states", "growth", "suggestion", "cost", "callers",
            "checklist",
        }  # fmt: skip
        assert set(found["table"]) == {
            "name", "arn", "region", "keys", "indexes", "items", "bytes", "mode", "readCapacity", "writeCapacity",
            "class", "stream", "replicas", "consistency", "ownKey", "deletionProtection", "timeToLive", "recovery",
            "recoveryDays", "backups", "exports", "kinesisStreams", "unseen", "stack",
        }  # fmt: skip
        assert set(found["cost"]) == {
            "currency", "prices", "perItem", "items", "toEncrypt", "bytesBefore", "bytesAfter", "monthlyWrites",
            "monthlyWritesBasis", "monthlyReads", "once", "month", "assumptions",
        }  # fmt: skip
        assert set(found["cost"]["once"]["total"]) == {
            "what", "readUnits", "writeUnits", "kmsRequests", "lambdaInvocations", "lambdaGigabyteSeconds",
            "gigabyteMonths", "amount",
        }  # fmt: skip
        assert set(found["suggestion"]) == {
            "rate", "limitedBy", "segments", "concurrency", "seconds", "parameters", "commands"
        }  # fmt: skip
        assert set(found["growth"]) == {"before", "after", "ratio", "ratios", "attributes", "encodings"}
        assert set(found["items"]) == {"count", "total", "mean", "min", "p50", "p90", "p99", "max", "bands"}

    def test_no_value_is_told(self, filled, tmp_path):
        page = tmp_path / "plan.html"
        result = plan(*ATTRIBUTES, "--output", str(page))
        told = result.stdout + result.stderr + plan("--json", *ATTRIBUTES).stdout + page.read_text()
        assert "4111" not in told
        assert "Holder" not in told
        assert "Harbour" not in told

    def test_what_is_to_be_pasted(self, filled):
        found = document(*ATTRIBUTES, "--append", "card", "--key", KEY_ARN, code=1)
        assert codes(found) == ["appended-is-no-list"]
        parameters = found["suggestion"]["parameters"]
        assert parameters["TableName"] == "orders"
        assert parameters["TableStreamArn"] == found["table"]["stream"]["arn"]
        assert parameters["EncryptedAttributes"] == "card,address"
        assert parameters["ContextAttributes"] == "orderId"
        assert parameters["AppendedAttributes"] == "card"
        assert parameters["KmsKeyArn"] == KEY_ARN
        assert parameters["EncryptionEnabled"] == "false"

    def test_a_sample_stands_for_the_table(self, filled):
        found = document(*ATTRIBUTES, "--sample", "10")
        assert found["looked"]["items"] == 10
        assert not found["looked"]["full"]
        assert found["cost"]["toEncrypt"] == 40
        assert found["cost"]["once"]["total"]["kmsRequests"] == 40

    def test_all_of_it(self, filled):
        found = document(*ATTRIBUTES, "--full")
        assert (found["looked"]["items"], found["looked"]["full"], found["looked"]["asked"]) == (40, True, None)

    def test_without_a_choice_it_says_what_there_is(self, filled):
        result = plan()
        assert result.exit_code == 1
        assert "No attributes to encrypt are chosen" in result.stdout
        assert "Those that could be, the largest first: address, card, total." in result.stdout
        assert "growth" not in document(code=1)

    def test_a_given_rate_tells_how_long(self, filled):
        suggested = document(*ATTRIBUTES, "--rate", "2")["suggestion"]
        assert (suggested["rate"], suggested["limitedBy"], suggested["seconds"]) == (2, "--rate", 20)

    def test_writes_a_month_as_the_user_says(self, filled):
        cost = document(*ATTRIBUTES, "--monthly-writes", "1000")["cost"]
        assert cost["month"]["parts"][0] == {**cost["month"]["parts"][0], "what": "new writes", "kmsRequests": 1000}

    def test_writes_a_month_by_cloudwatch(self, filled):
        put_metric("ConsumedWriteCapacityUnits", 700.0)
        put_metric("ConsumedReadCapacityUnits", 1400.0)
        found = document(*ATTRIBUTES)
        assert found["traffic"]["known"]
        assert found["traffic"]["monthlyWriteUnits"] > 700
        assert found["cost"]["monthlyWritesBasis"] == "CloudWatch"
        assert found["cost"]["monthlyWrites"] > 0


def ignored(looked: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from run to run."""
    return {name: looked[name] for name in ("seconds", "readUnits")}


def put_metric(name: str, value: float) -> None:
    from datetime import UTC, datetime, timedelta

    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/DynamoDB",
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": "TableName", "Value": "orders"}],
                "Timestamp": datetime.now(UTC) - timedelta(hours=5),
                "Value": value,
            }
        ],
    )


class TestInTheWay:
    """Each thing that stands in the way, and exit code 1."""

    def test_no_stream(self):
        create_table(boto3.client("dynamodb"), "orders", "orderId", types={"orderId": "N"})
        found = document(*ATTRIBUTES, code=1)
        assert codes(found) == ["no-stream"]
        assert "StreamViewType=KEYS_ONLY" in found["suggestion"]["commands"][0]
        assert '"$STREAM"' in found["suggestion"]["commands"][1]

    def test_an_attribute_that_is_a_key_of_the_table(self, filled):
        assert codes(document("--attributes", "orderId", code=1)) == ["attribute-is-key"]

    def test_an_attribute_that_is_a_key_of_an_index(self):
        create_table(boto3.client("dynamodb"), "orders", "id", index=Index("byCard", ("card",), ("address",)))
        with_stream()
        found = document("--attributes", "card", code=1)
        assert codes(found) == ["attribute-is-key"]
        assert "the index byCard" in found["inTheWay"][0]["message"]

    @pytest.mark.parametrize("key", ["encrypted_card", "is_encrypted"])
    def test_a_key_that_the_stored_form_needs(self, key):
        create_table(boto3.client("dynamodb"), "orders", "id", key)
        with_stream()
        assert codes(document("--attributes", "card", code=1)) == ["stored-form-is-key"]

    @pytest.mark.parametrize("name", ["is_encrypted", "encrypted_at", "encrypted_card", "card_conflict", "at"])
    def test_an_attribute_with_a_name_of_the_stored_form(self, filled, name):
        assert codes(document("--attributes", name, code=1)) == ["attribute-has-stored-name"]

    def test_a_name_that_the_template_does_not_take(self, filled):
        filled.put_item(Item=order(1, **{"card number": "4"}))
        assert codes(document("--attributes", "card number", code=1)) == ["attribute-name-unusable"]

    @pytest.mark.parametrize(
        ("key", "code"), [("purpose", "key-name-reserved"), ("aws-crypto-x", "key-name-reserved"),
                          ("order id", "key-name-unusable")]
    )  # fmt: skip
    def test_parts_of_the_key_that_make_no_context(self, key, code):
        create_table(boto3.client("dynamodb"), "orders", key)
        with_stream()
        assert code in codes(document("--attributes", "card", code=1))

    def test_the_time_to_live(self, filled):
        boto3.client("dynamodb").update_time_to_live(
            TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "total"}
        )
        assert codes(document("--attributes", "total", code=1)) == ["attribute-is-ttl"]

    def test_binary_that_does_not_compress(self, filled):
        filled.put_item(Item=order(77, card=os.urandom(310 * 1024)))
        found = document(*ATTRIBUTES, code=1)
        assert codes(found) == ["binary-too-large"]
        assert found["inTheWay"][0]["items"] == 1
        assert found["inTheWay"][0]["examples"] == [{"orderId": {"N": "77"}}]
        result = plan(*ATTRIBUTES)
        assert "1 item is over DynamoDB's 400 KB once encrypted" in result.stdout
        assert "orderId=77" in result.stdout

    def test_two_of_them_are_told_in_the_plural(self, filled):
        for number in (77, 78):
            filled.put_item(Item=order(number, card=os.urandom(310 * 1024)))
        assert "2 items are over" in plan(*ATTRIBUTES).stdout

    def test_an_item_near_the_limit_that_does_not_shrink(self, filled):
        small = {f"small{number}": "x" for number in range(10)}
        filled.put_item(Item=order(77, note=os.urandom(202_000).hex(), **small))
        assert codes(document("--attributes", ",".join(small), code=1)) == ["item-too-large"]

    def test_an_item_near_the_limit_that_shrinks_does_not(self, filled):
        filled.put_item(Item=order(77, address="the same words " * 26_000))
        found = document(*ATTRIBUTES)
        assert found["items"]["max"] > 380 * 1024
        assert found["growth"]["ratios"][0] == {"name": "to half or less", "items": 1}

    def test_a_marker_of_the_writers_own(self, filled):
        filled.put_item(Item=order(77, encrypted_at="yesterday"))
        assert codes(document(*ATTRIBUTES, code=1)) == ["marker-of-its-own"]

    def test_a_ciphertext_of_somebody_elses(self, filled):
        filled.put_item(Item=order(77, encrypted_card="theirs"))
        assert codes(document(*ATTRIBUTES, code=1)) == ["unknown-form"]


class TestToKnow:
    def known(self, *arguments: str) -> list[str]:
        return [finding["code"] for finding in document(*ATTRIBUTES, *arguments)["toKnow"]]

    def test_a_stream_that_holds_values(self):
        create_table(boto3.client("dynamodb"), "orders", "orderId", types={"orderId": "N"})
        with_stream(StreamViewType="NEW_AND_OLD_IMAGES")
        boto3.resource("dynamodb").Table("orders").put_item(Item=order(1))
        assert self.known() == ["stream-holds-values"]

    def test_copies_that_hold_plaintext(self, filled):
        client = boto3.client("dynamodb")
        client.create_backup(TableName="orders", BackupName="before")
        client.update_continuous_backups(
            TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        assert self.known() == ["recovery-holds-plaintext", "backups-hold-plaintext"]

    def test_an_attribute_that_no_item_has(self, filled):
        found = document("--attributes", "crad")
        assert [finding["code"] for finding in found["toKnow"]] == ["attribute-not-seen"]


class TestSessions:
    @pytest.fixture
    def sessions(self) -> Any:
        create_table(
            boto3.client("dynamodb"),
            "chats",
            "sessionId",
            "userId",
            index=Index("byUserId", ("userId", "startTime"), ("name", "history")),
        )
        with_stream("chats")
        table = boto3.resource("dynamodb").Table("chats")
        for number in range(5):
            table.put_item(
                Item={
                    "sessionId": f"dlg-{number}",
                    "userId": "alice",
                    "startTime": "2026-01-02",
                    "name": "x",
                    "history": [{"type": "human", "content": "Good morning. " * 100}],
                }
            )
        return table

    def test_the_index_that_holds_the_attribute_is_written_too(self, sessions):
        found = document("--attributes", "history,configuration", table="chats")
        assert found["table"]["indexes"] == [
            {"name": "byUserId", "keys": ["userId", "startTime"], "projection": "INCLUDE",
             "included": ["name", "history"], "local": False}
        ]  # fmt: skip
        assert found["cost"]["perItem"]["indexWriteUnits"] == 2.0
        assert found["growth"]["ratio"] < 1
        assert [finding["code"] for finding in found["toKnow"]] == ["attribute-not-seen"]


class TestStack:
    @pytest.fixture
    def stack(self, filled: Any) -> None:
        """A stack, as far as the command asks for it: its parameters and outputs."""
        given = {
            "EncryptedAttributes": "address",
            "ReencryptScheduleExpression": "",
            "Architecture": "arm64",
            "CiphertextEncoding": "binary",
        }
        body = {
            "Parameters": {name: {"Type": "String"} for name in given},
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {
                "TableName": {"Value": "orders"},
                "KeyArn": {"Value": KEY_ARN},
                "ControlFunctionName": {"Value": "control"},
            },
        }
        boto3.client("cloudformation").create_stack(
            StackName="shop",
            TemplateBody=json.dumps(body),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        )

    def test_the_table_and_the_attributes_are_the_stacks(self, stack):
        result = CliRunner().invoke(app, ["plan", "--stack", "shop", "--json"])
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)
        assert found["table"]["name"] == "orders"
        assert found["table"]["stack"] == "--stack shop"
        assert found["choice"] == {
            "attributes": ["address"], "appended": [], "keyArn": KEY_ARN, "singleWritingRegion": False,
            "encoding": "binary", "architecture": "arm64",
        }  # fmt: skip
        rate, segments = found["suggestion"]["rate"], found["suggestion"]["segments"]
        assert found["suggestion"]["commands"] == [
            f"stream-encryptor migrate --stack shop --rate {rate} --segments {segments}"
        ]
        parts = {part["what"] for part in found["cost"]["month"]["parts"]}
        assert "re-encryption" not in parts
        assert "key" not in parts

    def test_a_stack_that_is_not_there(self, stack):
        assert CliRunner().invoke(app, ["plan", "--stack", "none"]).exit_code == 3

    def test_items_in_the_old_form_are_told(self, filled):
        kms = boto3.client("kms")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        old = lisa.ciphertext(kms, key, {"a": 1}, {"orderId": "77", "purpose": "session-encryption"})
        filled.put_item(Item={"orderId": 77, "encrypted_card": old, "is_encrypted": True, "encryption_version": "1.0"})
        found = document(*ATTRIBUTES)
        assert found["states"]["deferred"] == 1
        assert [finding["code"] for finding in found["toKnow"]] == ["old-form"]


class TestProvisioned:
    def test_the_rate_keeps_within_what_is_provisioned(self):
        boto3.client("dynamodb").create_table(
            TableName="orders",
            KeySchema=key_schema("orderId"),
            AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "N"}],
            ProvisionedThroughput={"ReadCapacityUnits": 40, "WriteCapacityUnits": 20},
            StreamSpecification=KEYS_ONLY,
        )
        table = boto3.resource("dynamodb").Table("orders")
        for number in range(10):
            table.put_item(Item=order(number))
        found = document(*ATTRIBUTES)
        assert (found["table"]["mode"], found["table"]["writeCapacity"]) == ("provisioned", 20)
        suggested = found["suggestion"]
        assert suggested["limitedBy"] == "the table's provisioned write capacity"
        assert suggested["rate"] * found["cost"]["perItem"]["writeUnits"] <= 20 * 0.25


class TestEmptyAndMissing:
    def test_an_empty_table(self, orders):
        result = plan(*ATTRIBUTES)
        assert result.exit_code == 0, result.stderr
        assert "the table has no items to look at" in result.stdout
        found = document(*ATTRIBUTES)
        assert found["growth"]["ratio"] is None
        assert found["cost"]["once"]["total"]["kmsRequests"] == 0

    def test_a_missing_table(self, orders):
        result = plan(*ATTRIBUTES, table="order")
        assert result.exit_code == 2
        assert f"There is no table order in {REGION}" in result.stderr

    def test_neither_table_nor_stack(self):
        result = CliRunner().invoke(app, ["plan"])
        assert result.exit_code == 2
        assert "--table NAME" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--stack", "x"),
            ("--append", "total", *ATTRIBUTES),
            ("--attributes", " , "),
            ("--key", "alias/mine", *ATTRIBUTES),
            ("--key", KEY_ARN.replace(REGION, "eu-west-1"), *ATTRIBUTES),
            ("--prices", "none.json"),
            ("--cloudtrail", "none.json"),
            ("--output", "plan.txt"),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_options_that_are_wrong_are_refused_before_the_table_is_read(self, arguments, filled, requests_seen):
        result = plan(*arguments)
        assert result.exit_code == 2, result.stderr
        assert arguments[0] in result.stderr
        assert "Scan" not in requests_seen()

    def test_a_file_that_cannot_be_written_is_refused_before_the_table_is_read(self, filled, tmp_path, requests_seen):
        result = plan(*ATTRIBUTES, "--output", str(tmp_path / "none" / "plan.html"))
        assert result.exit_code == 2
        assert "cannot be written" in result.stderr
        assert requests_seen() == []

    def test_a_file_that_can_be_is_not_left_behind_empty(self, tmp_path):
        page = tmp_path / "plan.html"
        assert plan("--output", str(page), table="none").exit_code == 2
        assert not page.exists()


@pytest.fixture
def requests_seen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The operations that boto3 is asked for from here on, as a session's event hook sees them."""
    seen: list[str] = []
    real = boto3.Session.client

    def client(self: boto3.Session, *arguments: Any, **more: Any) -> Any:
        made: Any = real(self, *arguments, **more)
        made.meta.events.register("before-call", lambda model, **_: seen.append(model.name))
        return made

    monkeypatch.setattr(boto3.Session, "client", client)
    return lambda: seen


class TestOutput:
    def test_a_page_and_a_document(self, filled, tmp_path):
        page, file = tmp_path / "plan.html", tmp_path / "plan.json"
        assert plan(*ATTRIBUTES, "--output", str(page)).exit_code == 0
        assert plan(*ATTRIBUTES, "--output", str(file)).exit_code == 0
        assert json.loads(file.read_text())["verdict"] == "ready"
        text = page.read_text()
        assert "<h1>Plan for <code>orders</code></h1>" in text
        assert "default-src 'none'" in text
        assert "<script" not in text
        assert "http" not in text.replace("http-equiv", "")

    def test_names_are_escaped_on_the_page(self, filled, tmp_path):
        filled.put_item(Item=order(77, **{"<img src=x>": "1"}))
        page = tmp_path / "plan.html"
        plan(*ATTRIBUTES, "--output", str(page))
        assert "<img" not in page.read_text()
        assert "&lt;img src=x&gt;" in page.read_text()

    def test_names_move_no_cursor(self, filled):
        filled.put_item(Item=order(77, **{"a\x1b[2Jb": "1"}))
        assert "\x1b" not in plan(*ATTRIBUTES).stdout

    def test_a_narrow_log_wraps_and_loses_nothing(self, filled):
        lines = plan(*ATTRIBUTES).stdout.splitlines()
        table = [
            line for line in lines if not line.startswith(("-", "aws", "sam", "  ", "For", "List", "At", "Ciphertexts"))
        ]
        assert max(map(len, table)) <= 110
        assert any("the whole item" in line for line in lines)

    def test_prices_of_the_users(self, filled, tmp_path):
        from importlib.resources import files

        prices = json.loads(files("dynamodb_stream_encryptor.planning").joinpath("prices.json").read_text())
        prices["regions"][REGION]["kms"]["tenThousandRequests"] = 10_000_000
        (tmp_path / "prices.json").write_text(json.dumps(prices))
        found = document(*ATTRIBUTES, "--prices", str(tmp_path / "prices.json"))
        assert found["cost"]["once"]["total"]["amount"] == pytest.approx(40_000, rel=0.01)
        assert found["cost"]["prices"]["file"].endswith("prices.json")

    def test_a_region_without_prices_has_units_and_no_amounts(self, monkeypatch):
        create_table(boto3.client("dynamodb", "ap-south-2"), "orders", "id")
        found = document(*ATTRIBUTES, "--region", "ap-south-2", code=1)
        assert found["cost"]["prices"] is None
        assert found["cost"]["once"]["total"]["amount"] is None
        assert "--prices FILE" in plan(*ATTRIBUTES, "--region", "ap-south-2").stdout

    def test_other_commands_do_without_the_cryptography(self):
        import subprocess
        import sys

        code = "import dynamodb_stream_encryptor.__main__, sys; print('aws_encryption_sdk' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False"


class TestCloudTrail:
    def put(self, bucket: str = "trails") -> None:
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        record = {**event("Query"), "requestParameters": {"tableName": "orders"}}
        body = gzip.compress(json.dumps({"Records": [record, event()]}).encode())
        s3.put_object(Bucket=bucket, Key="AWSLogs/1/CloudTrail/us-east-1/2026/01/02/a.json.gz", Body=body)
        s3.put_object(Bucket=bucket, Key="AWSLogs/1/CloudTrail-Digest/readme.txt", Body=b"not looked at")

    def test_a_prefix_in_s3(self, filled):
        self.put()
        found = document(*ATTRIBUTES, "--cloudtrail", "s3://trails/AWSLogs/1/")
        assert (found["callers"]["events"], found["callers"]["otherEvents"]) == (1, 1)
        (caller,) = found["callers"]["callers"]
        assert caller["operations"] == {"Query": 1}
        assert "drop-in" in caller["breaks"][0]
        assert "by 1 caller" in plan(*ATTRIBUTES, "--cloudtrail", "s3://trails/AWSLogs/1/").stdout

    @pytest.mark.parametrize(("source", "said"), [("s3://none/x", "no bucket none"), ("s3://trails/none", "has no")])
    def test_a_bucket_or_prefix_that_is_not_there(self, filled, source, said):
        self.put()
        result = plan(*ATTRIBUTES, "--cloudtrail", source)
        assert result.exit_code == 2
        assert said in result.stderr

    def test_they_are_on_the_page(self, filled, tmp_path: Path):
        record = {
            **event("UpdateItem"),
            "requestParameters": {"tableName": "orders", "updateExpression": "REMOVE card"},
        }
        (tmp_path / "a.json").write_text(json.dumps({"Records": [record]}))
        page = tmp_path / "plan.html"
        assert plan(*ATTRIBUTES, "--cloudtrail", str(tmp_path / "a.json"), "--output", str(page)).exit_code == 0
        assert "removes card" in page.read_text()


def policy() -> dict[str, Any]:
    """The policy that docs/plan.md gives."""
    text = (Path(__file__).parents[2] / "docs" / "plan.md").read_text()
    found: dict[str, Any] = json.loads(text.partition("<!-- policy -->\n```json\n")[2].partition("```")[0])
    return found


def statements(without: str | None = None) -> list[dict[str, Any]]:
    """Return the policy for every resource, whole or without one of its actions."""
    return [
        {"Effect": "Allow", "Action": [a for a in _actions(one) if a != without] or ["none:None"], "Resource": "*"}
        for one in policy()["Statement"]
    ]


def _actions(statement: Mapping[str, Any]) -> list[str]:
    given = statement["Action"]
    return [given] if isinstance(given, str) else given


def _all_actions() -> set[str]:
    return {action for one in policy()["Statement"] for action in _actions(one)}


_NOT_CHECKED = "lambda:ListEventSourceMappings"


def allowed(monkeypatch: pytest.MonkeyPatch, allowing: list[dict[str, Any]]) -> None:
    """Become a user who may do what the statements allow, and nothing else."""
    iam = boto3.client("iam")
    iam.create_user(UserName="planner")
    iam.put_user_policy(
        UserName="planner",
        PolicyName="plan",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowing}),
    )
    key = iam.create_access_key(UserName="planner")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


class TestRights:
    """IAM as moto enforces it: what the policy in docs/plan.md allows is enough, and all of it is used."""

    def run(self) -> Result:
        enforced: Callable[..., Result] = set_initial_no_auth_action_count(0)(plan)
        return enforced("--json", *ATTRIBUTES, "--cloudtrail", "s3://trails/AWSLogs/1/")

    def test_the_policy_is_enough(self, filled, monkeypatch):
        TestCloudTrail().put()
        allowed(monkeypatch, statements())
        result = self.run()
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)
        # What moto does not have at all is not denied; and it finds fault with Lambda's signature, whoever asks.
        kinesis, stream = found["table"]["unseen"]
        assert "NotImplementedError" in kinesis
        assert _NOT_CHECKED in stream
        assert "says" not in found["traffic"].get("why", "")

    @pytest.mark.parametrize("action", sorted(_all_actions() - {_NOT_CHECKED}))
    def test_each_right_of_it_is_used(self, filled, monkeypatch, action):
        TestCloudTrail().put()
        allowed(monkeypatch, statements(without=action))
        result = self.run()
        if action in ("dynamodb:DescribeTable", "dynamodb:Scan", "s3:ListBucket", "s3:GetObject"):
            assert result.exit_code == 3, result.stdout
        else:
            found = json.loads(result.stdout)
            told = [*found["table"]["unseen"], found["traffic"].get("why", "")]
            assert any(action in one for one in told)

    def test_it_allows_no_write(self):
        verbs = {action.partition(":")[2] for action in _all_actions()}
        assert all(verb.startswith(("Describe", "List", "Get", "Scan")) for verb in verbs)

    def test_without_rights_it_says_so(self, filled, monkeypatch):
        allowed(monkeypatch, [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}])
        result = set_initial_no_auth_action_count(0)(plan)(*ATTRIBUTES)
        assert result.exit_code == 3
        assert "describing the table orders" in result.stderr


def test_only_these_calls_are_made(filled, requests_seen):
    """Of boto3's operations, whatever IAM would say."""
    TestCloudTrail().put()
    made_before = len(requests_seen())
    plan(*ATTRIBUTES, "--cloudtrail", "s3://trails/AWSLogs/1/")
    actions = {action.partition(":")[2] for action in _all_actions()}
    operations = set(requests_seen()[made_before:])
    assert operations == actions - {"ListBucket"} | {"ListObjectsV2"}
