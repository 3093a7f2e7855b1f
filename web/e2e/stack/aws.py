"""Looks at the stack from its AWS endpoint, with nothing of this project's: boto3 and the AWS Encryption SDK alone.

    python aws.py ENDPOINT REGION COMMAND ARGUMENTS

stored TABLE USER SESSION           prints the item, as DynamoDB has it
decrypted TABLE KEY USER SESSION    prints its attributes as the AWS Encryption SDK decrypts them, by name
put TABLE                           puts the items of the standard input, a JSON array of DynamoDB JSON
states TABLE PREFIX                 prints how many of the items whose session id begins so are encrypted, and not
stream STREAM on|off                enables or disables the stream's event source mapping
"""

import base64
import gzip
import json
import sys
import time
from typing import Any

import boto3

PURPOSE = "session-encryption"


def main(endpoint: str, region: str, command: str, *arguments: str) -> None:
    """Run a command."""
    session = boto3.Session("testing", "testing", region_name=region)

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]

    match command, arguments:
        case "stored", (table, user, session_id):
            answer: Any = stored(client("dynamodb"), table, user, session_id)
        case "decrypted", (table, key, user, session_id):
            answer = decrypted(client("kms"), key, stored(client("dynamodb"), table, user, session_id))
        case "put", (table,):
            for item in json.load(sys.stdin):
                client("dynamodb").put_item(TableName=table, Item=item)
            answer = None
        case "states", (table, prefix):
            answer = states(client("dynamodb"), table, prefix)
        case "stream", (stream, state):
            answer = switch_stream(client("lambda"), stream, enabled=state == "on")
        case _:
            sys.exit(__doc__)
    print(json.dumps(answer))


def stored(dynamodb: Any, table: str, user: str, session_id: str) -> Any:
    """Return an item, or None."""
    key = {"sessionId": {"S": session_id}, "userId": {"S": user}}
    return dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def decrypted(kms: Any, key: str, item: Any) -> dict[str, Any]:
    """Return what the messages in an item hold."""
    from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
    from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
    from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput
    from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient

    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    keyring = providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key, kms_client=kms))
    client = EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    context = {"userId": item["userId"]["S"], "sessionId": item["sessionId"]["S"], "purpose": PURPOSE}
    values: dict[str, Any] = {}
    for name in ("encrypted_history", "encrypted_configuration"):
        if name in item:
            message = base64.b64decode(item[name]["S"], validate=True)
            text, _ = client.decrypt(source=message, keyring=keyring, encryption_context=context)
            values |= json.loads(gzip.decompress(text) if text.startswith(b"\x1f\x8b") else text)
    return values


def states(dynamodb: Any, table: str, prefix: str) -> dict[str, int]:
    """Return how many items are encrypted, and how many hold a value in the clear."""
    counts = {"encrypted": 0, "plaintext": 0}
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            if item["sessionId"]["S"].startswith(prefix):
                counts["plaintext" if {"history", "configuration"} & item.keys() else "encrypted"] += 1
    return counts


def switch_stream(functions: Any, stream: str, *, enabled: bool) -> None:
    """Enable or disable a stream's mapping, and wait until it is."""
    [mapping] = functions.list_event_source_mappings(EventSourceArn=stream)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
    state = "Enabled" if enabled else "Disabled"
    while functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] != state:
        time.sleep(0.1)


main(*sys.argv[1:])
