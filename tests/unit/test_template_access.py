"""Who may do what in the stack: least privilege by role, nothing open to anyone."""

import json

import pytest

from tests.unit.sam_template import Stack, translated

TEMPLATE = translated()
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/chats"
KEYS = [f"arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-4000-8000-00000000000{n}" for n in range(1, 5)]
TABLE_KEY, KEY, *EARLIER_KEYS = KEYS
MADE = Stack(TEMPLATE, {})
EXISTING = Stack(
    TEMPLATE,
    {
        "TableName": "chats",
        "TableStreamArn": f"{TABLE}/stream/2026-01-02T08:30:00.000",
        "TableKeyArn": TABLE_KEY,
        "KmsKeyArn": KEY,
        "EarlierKeyArns": ",".join(EARLIER_KEYS),
        "ContextPurpose": "orders",
        "JwtIssuer": "https://issuer.example",
        "JwtAudience": "web",
    },
)
STACKS = [pytest.param(MADE, id="made"), pytest.param(EXISTING, id="existing")]
ROLES = {
    "StreamEncryptorFunction": "StreamEncryptorRole",
    "RetryFunction": "RetryRole",
    "ReaderFunction": "ReaderRole",
    "ItemReaderFunction": "ItemReaderRole",
}
ENCRYPTORS = ["StreamEncryptorRole", "RetryRole"]
DECRYPTORS = ["ReaderRole", "ItemReaderRole"]
ITEMS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"}
VIA_DYNAMODB = {"StringEquals": {"kms:ViaService": "dynamodb.eu-west-1.amazonaws.com"}}


def granted(stack: Stack, role: str, service: str) -> dict[str, set[str]]:
    """Return what a role may do in a service, by resource; what DynamoDB does with its key is left out."""
    actions: dict[str, set[str]] = {}
    for statement in stack.statements(role):
        assert statement["Effect"] == "Allow"
        if statement.get("Condition") == VIA_DYNAMODB:
            continue
        for resource in statement["Resource"]:
            of_service = {action for action in statement["Action"] if action.startswith(f"{service}:")}
            if of_service:
                actions.setdefault(resource, set()).update(of_service)
    return actions


@pytest.mark.parametrize("stack", STACKS)
def test_each_function_has_a_role_of_its_own_that_only_lambda_assumes(stack):
    functions = stack.of_type("AWS::Lambda::Function")
    assert {name: function["Role"] for name, function in functions.items()} == {
        function: f"<{role}.Arn>" for function, role in ROLES.items()
    }
    roles = stack.of_type("AWS::IAM::Role")
    assert set(roles) == set(ROLES.values())
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_services_are_those_the_function_calls(stack, role):
    services = {
        action.split(":")[0] for statement in stack.statements(role) for action in statement["Action"]
    }
    assert services == {"logs", "kms", "dynamodb"} | ({"sqs"} if role in ENCRYPTORS else set())


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_no_wildcard_is_granted_but_the_streams_of_the_table(stack, role):
    table = "<SessionTable.Arn>" if stack is MADE else TABLE
    wild = {
        (action, resource)
        for statement in stack.statements(role)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if "*" in action + resource
    }
    assert wild == (
        {("dynamodb:ListStreams", f"{table}/stream/*")} if role == "StreamEncryptorRole" else set()
    )


@pytest.mark.parametrize(
    ("stack", "key"), [(MADE, "<EncryptionKey.Arn>"), (EXISTING, KEY)], ids=["made", "existing"]
)
@pytest.mark.parametrize("role", ENCRYPTORS)
def test_what_only_encrypts_cannot_decrypt(stack, key, role):
    assert granted(stack, role, "kms") == {key: {"kms:GenerateDataKey", "kms:DescribeKey"}}


@pytest.mark.parametrize("role", DECRYPTORS)
def test_what_reads_decrypts_under_the_current_key_and_the_earlier_ones(role):
    current = {"kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"}
    assert granted(MADE, role, "kms") == {"<EncryptionKey.Arn>": current}
    assert granted(EXISTING, role, "kms") == {KEY: current} | {key: {"kms:Decrypt"} for key in EARLIER_KEYS}


@pytest.mark.parametrize(("stack", "purpose"), [(MADE, "session-encryption"), (EXISTING, "orders")])
@pytest.mark.parametrize("role", ROLES.values())
def test_every_use_of_a_key_is_bound_to_the_purpose(stack, purpose, role):
    bound = {"StringEquals": {"kms:EncryptionContext:purpose": purpose}}
    for statement in stack.statements(role):
        if any(action.startswith("kms:") for action in statement["Action"]) and statement["Action"] != [
            "kms:DescribeKey"
        ]:
            expected = VIA_DYNAMODB if statement["Resource"] == [TABLE_KEY] else bound
            assert statement["Condition"] == expected, statement["Sid"]


@pytest.mark.parametrize("role", ROLES.values())
def test_the_tables_own_key_is_used_by_dynamodb_alone(role):
    assert not any(statement.get("Condition") == VIA_DYNAMODB for statement in MADE.statements(role))
    through_dynamodb = [each for each in EXISTING.statements(role) if each.get("Condition") == VIA_DYNAMODB]
    assert [each["Resource"] for each in through_dynamodb] == [[TABLE_KEY]]
    assert [each for each in EXISTING.statements(role) if TABLE_KEY in each["Resource"]] == through_dynamodb


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_table_access_is_what_the_function_does(stack, role):
    table = "<SessionTable.Arn>" if stack is MADE else TABLE
    stream = "<SessionTable.StreamArn>" if stack is MADE else f"{TABLE}/stream/2026-01-02T08:30:00.000"
    expected = {table: set(ITEMS)}
    if role == "ReaderRole":
        expected[table].add("dynamodb:DeleteItem")
        expected[f"{table}/index/byUserId"] = {"dynamodb:Query"}
    if role == "StreamEncryptorRole":
        expected[stream] = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
        expected[f"{table}/stream/*"] = {"dynamodb:ListStreams"}
    assert granted(stack, role, "dynamodb") == expected


@pytest.mark.parametrize("stack", STACKS)
def test_queue_access_is_what_the_function_does(stack):
    send = {"sqs:SendMessage"}
    receive = {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
    }
    assert granted(stack, "StreamEncryptorRole", "sqs") == {
        "<RetryQueue.Arn>": send,
        "<FailureQueue.Arn>": send,
    }
    assert granted(stack, "RetryRole", "sqs") == {"<RetryQueue.Arn>": receive, "<FailureQueue.Arn>": send}


@pytest.mark.parametrize(("function", "role"), ROLES.items())
def test_function_writes_its_own_log_alone(function, role):
    group = MADE.properties(function)["LoggingConfig"]["LogGroup"].strip("<>")
    assert granted(MADE, role, "logs") == {f"<{group}.Arn>": {"logs:CreateLogStream", "logs:PutLogEvents"}}


@pytest.mark.parametrize("queue", ["RetryQueue", "FailureQueue"])
def test_queue_refuses_plain_http_and_lets_in_nobody_else(queue):
    (policy,) = [
        each for each in MADE.of_type("AWS::SQS::QueuePolicy").values() if each["Queues"] == [f"<{queue}>"]
    ]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert (statement["Principal"], statement["Action"]) == ("*", "sqs:*")
    assert statement["Resource"] == f"<{queue}.Arn>"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_key_is_administered_by_the_account_and_nobody_else():
    (statement,) = MADE.properties("EncryptionKey")["KeyPolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


def test_only_this_api_calls_the_reader_and_nothing_calls_the_item_reader():
    (permission,) = MADE.of_type("AWS::Lambda::Permission").values()
    assert permission["FunctionName"] == "<ReaderFunction>"
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"] == "arn:aws:execute-api:eu-west-1:111122223333:<HttpApi>/*/*/session*"
    assert "<ItemReaderFunction.Arn>" not in json.dumps(MADE.resources)
