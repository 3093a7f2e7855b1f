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
    "MigratorFunction": "MigratorRole",
    "DeferredFunction": "DeferredRole",
    "ControlFunction": "ControlRole",
    "AdminFunction": "AdminRole",
    "SessionKeysFunction": "SessionKeysRole",
    "WatcherFunction": "WatcherRole",
}
ENCRYPTORS = ["StreamEncryptorRole", "RetryRole"]
READERS = ["ReaderRole", "ItemReaderRole"]
MIGRATORS = ["MigratorRole", "DeferredRole", "ControlRole"]
OF_DATA = ENCRYPTORS + READERS + MIGRATORS
KEY_METADATA = {"kms:DescribeKey", "kms:GetKeyRotationStatus"}
SEND = {"sqs:SendMessage"}
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
RECEIVE = CONSUME | {"sqs:ChangeMessageVisibility"}
SETTING_ONLY = {
    "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["setting"]},
    # Without it, ForAllValues would hold for a request that names no key at all.
    "Null": {"dynamodb:LeadingKeys": "false"},
}
ATTRIBUTES_ONLY = SETTING_ONLY | {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["attributes"]}}
ACTIONS_ONLY = SETTING_ONLY | {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["actions"]}}
PROGRESS_ONLY = {
    "ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["setting", "attributes", "actions"]},
    "Null": {"dynamodb:LeadingKeys": "false"},
}
ITEMS = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DescribeTable"}
CONTROL_TABLE = "<ControlTable.Arn>"
API = "arn:aws:execute-api:eu-west-1:111122223333:<HttpApi>"
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
    assert set(roles) == {*ROLES.values(), "ScheduleRole", "WatchScheduleRole"}
    assert not any("ManagedPolicyArns" in role for role in roles.values())
    for role in (roles[name] for name in ROLES.values()):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_services_are_those_the_function_calls(stack, role):
    services = {action.split(":")[0] for statement in stack.statements(role) for action in statement["Action"]}
    expected = {"logs", "dynamodb"}
    expected |= {"kms"} if role in [*OF_DATA, "SessionKeysRole"] else set()
    expected |= {"sqs"} if role not in [*READERS, "SessionKeysRole"] else set()
    expected |= {"lambda"} if role in ("ControlRole", "WatcherRole") else set()
    expected |= {"lambda", "cloudwatch"} if role == "AdminRole" and stack is EXISTING else set()
    assert services == expected


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_no_wildcard_is_granted_but_the_streams_of_the_table_and_metrics(stack, role):
    table = "<SessionTable.Arn>" if stack is MADE else TABLE
    wild = {
        (action, resource)
        for statement in stack.statements(role)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if "*" in action + resource
    }
    streams = {("dynamodb:ListStreams", f"{table}/stream/*")}
    # CloudWatch knows no resource for it.
    metrics = {("cloudwatch:GetMetricData", "*")} if stack is EXISTING else set()
    assert wild == {"StreamEncryptorRole": streams, "AdminRole": metrics}.get(role, set())


@pytest.mark.parametrize(("stack", "key"), [(MADE, "<EncryptionKey.Arn>"), (EXISTING, KEY)], ids=["made", "existing"])
@pytest.mark.parametrize("role", ENCRYPTORS)
def test_what_only_encrypts_cannot_decrypt(stack, key, role):
    assert granted(stack, role, "kms") == {key: {"kms:GenerateDataKey", "kms:DescribeKey"}}


@pytest.mark.parametrize("role", READERS + MIGRATORS)
def test_what_reads_or_migrates_decrypts_under_the_current_key_and_the_earlier_ones(role):
    metadata = KEY_METADATA if role == "ControlRole" else {"kms:DescribeKey"}
    current = {"kms:GenerateDataKey", "kms:Decrypt"} | metadata
    assert granted(MADE, role, "kms") == {"<EncryptionKey.Arn>": current}
    assert granted(EXISTING, role, "kms") == {KEY: current} | {key: {"kms:Decrypt"} for key in EARLIER_KEYS}


@pytest.mark.parametrize(("stack", "purpose"), [(MADE, "session-encryption"), (EXISTING, "orders")])
@pytest.mark.parametrize("role", ROLES.values())
def test_every_use_of_a_key_is_bound_to_the_purpose(stack, purpose, role):
    bound = {"StringEquals": {"kms:EncryptionContext:purpose": purpose}}
    for statement in stack.statements(role):
        used = {action for action in statement["Action"] if action.startswith("kms:")}
        if used - KEY_METADATA:
            expected = VIA_DYNAMODB if statement["Resource"] == [TABLE_KEY] else bound
            assert statement["Condition"] == expected, statement["Sid"]


@pytest.mark.parametrize("role", OF_DATA)
def test_the_tables_own_key_is_used_by_dynamodb_alone(role):
    assert not any(statement.get("Condition") == VIA_DYNAMODB for statement in MADE.statements(role))
    through_dynamodb = [each for each in EXISTING.statements(role) if each.get("Condition") == VIA_DYNAMODB]
    assert [each["Resource"] for each in through_dynamodb] == [[TABLE_KEY]]
    assert [each for each in EXISTING.statements(role) if TABLE_KEY in each["Resource"]] == through_dynamodb


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", OF_DATA)
def test_table_access_is_what_the_function_does(stack, role):
    table = "<SessionTable.Arn>" if stack is MADE else TABLE
    stream = "<SessionTable.StreamArn>" if stack is MADE else f"{TABLE}/stream/2026-01-02T08:30:00.000"
    expected = {table: set(ITEMS)}
    if role in READERS:
        expected[table].remove("dynamodb:BatchGetItem")
    if role == "ReaderRole":
        expected[table].add("dynamodb:DeleteItem")
        expected[f"{table}/index/byUserId"] = {"dynamodb:Query"}
    if role in ("StreamEncryptorRole", "ControlRole"):
        expected[stream] = {"dynamodb:GetRecords", "dynamodb:GetShardIterator"}
    if role == "StreamEncryptorRole":
        # Lambda's poller asks for it under this role.
        expected[stream].add("dynamodb:DescribeStream")
        expected[f"{table}/stream/*"] = {"dynamodb:ListStreams"}
    if role == "MigratorRole":
        expected[table].add("dynamodb:Scan")
    if role in ("StreamEncryptorRole", "MigratorRole"):
        expected[table].add("dynamodb:PartiQLUpdate")
    if role == "ControlRole":
        # Scan for a sweep's dry run, which the control function makes itself.
        expected[table] |= {"dynamodb:DescribeContinuousBackups", "dynamodb:Scan"}
    actions = granted(stack, role, "dynamodb")
    del actions[CONTROL_TABLE]
    assert actions == expected


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", ROLES.values())
def test_what_does_not_control_at_most_reads_the_setting_adds_attributes_and_keeps_progress(stack, role):
    statements = [each for each in stack.statements(role) if each["Resource"] == [CONTROL_TABLE]]
    actual = [(set(each["Action"]), each.get("Condition")) for each in statements]
    read, write = {"dynamodb:GetItem"}, {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    read_all = read | {"dynamodb:Query"}
    remember, add = {"dynamodb:Query", "dynamodb:PutItem"}, {"dynamodb:PutItem"}
    assert actual == {
        "MigratorRole": [(read_all, None), (write, PROGRESS_ONLY), (add, ATTRIBUTES_ONLY)],
        "ControlRole": [(read_all | write, None)],
        "AdminRole": [(read | {"dynamodb:PutItem"}, SETTING_ONLY), (add, ACTIONS_ONLY)],
        "SessionKeysRole": [(read, SETTING_ONLY)],
        "WatcherRole": [(read | {"dynamodb:Query"}, None)],
    }.get(role, [(read, SETTING_ONLY), (remember, ATTRIBUTES_ONLY)])


@pytest.mark.parametrize("stack", STACKS)
def test_the_admin_function_reaches_neither_data_nor_keys(stack):
    assert granted(stack, "AdminRole", "dynamodb").keys() == {CONTROL_TABLE}
    assert granted(stack, "AdminRole", "sqs") == {"<WorkQueue.Arn>": SEND}
    actions = {action for statement in stack.statements("AdminRole") for action in statement["Action"]}
    assert not any(action.startswith("kms:") for action in actions)


def test_what_gives_out_data_keys_uses_the_keys_and_reads_the_setting_and_nothing_else():
    both = {"kms:GenerateDataKey", "kms:Decrypt"}
    assert granted(MADE, "SessionKeysRole", "kms") == {"<EncryptionKey.Arn>": both}
    assert granted(EXISTING, "SessionKeysRole", "kms") == {KEY: both} | {key: {"kms:Decrypt"} for key in EARLIER_KEYS}
    for stack in (MADE, EXISTING):
        assert granted(stack, "SessionKeysRole", "dynamodb") == {CONTROL_TABLE: {"dynamodb:GetItem"}}


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    ("role", "queues"),
    [
        ("StreamEncryptorRole", {"RetryQueue": SEND, "DeferredQueue": SEND, "FailureQueue": SEND}),
        ("RetryRole", {"RetryQueue": CONSUME, "DeferredQueue": SEND, "FailureQueue": SEND}),
        ("MigratorRole", {"WorkQueue": RECEIVE | SEND, "DeferredQueue": SEND, "FailureQueue": SEND}),
        ("DeferredRole", {"DeferredQueue": CONSUME, "FailureQueue": SEND}),
        (
            "ControlRole",
            {
                "WorkQueue": SEND | {"sqs:GetQueueAttributes"},
                "DeferredQueue": {"sqs:GetQueueAttributes"},
                "FailureQueue": RECEIVE | SEND,
            },
        ),
        ("WatcherRole", {"FailureQueue": {"sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"}}),
    ],
)
def test_queue_access_is_what_the_function_does(stack, role, queues):
    assert granted(stack, role, "sqs") == {f"<{queue}.Arn>": actions for queue, actions in queues.items()}


def test_the_control_function_looks_at_one_mapping_and_changes_none():
    mapping = "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:<StreamMapping>"
    assert granted(MADE, "ControlRole", "lambda") == {mapping: {"lambda:GetEventSourceMapping"}}


@pytest.mark.parametrize("stack", STACKS)
def test_the_watcher_describes_the_table_and_mappings_and_reads_no_item(stack):
    table = "<SessionTable.Arn>" if stack is MADE else TABLE
    mapping = "arn:aws:lambda:eu-west-1:111122223333:event-source-mapping"
    names = ["StreamMapping", "RetryMapping", "WorkMapping", "DeferredMapping"]
    of_tables = granted(stack, "WatcherRole", "dynamodb")
    del of_tables[CONTROL_TABLE]
    assert of_tables == {table: {"dynamodb:DescribeTable"}}
    assert granted(stack, "WatcherRole", "lambda") == {
        f"{mapping}:<{name}>": {"lambda:GetEventSourceMapping"} for name in names
    }


@pytest.mark.parametrize(
    ("role", "function"), [("ScheduleRole", "ControlFunction"), ("WatchScheduleRole", "WatcherFunction")]
)
def test_schedules_invoke_their_function_and_nothing_else(role, function):
    (statement,) = MADE.statements(role)
    assert statement["Effect"] == "Allow"
    assert (statement["Action"], statement["Resource"]) == (["lambda:InvokeFunction"], [f"<{function}.Arn>"])
    (trust,) = MADE.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "111122223333",
            "aws:SourceArn": "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/default",
        }
    }


@pytest.mark.parametrize(("function", "role"), ROLES.items())
def test_function_writes_its_own_log_alone(function, role):
    group = MADE.properties(function)["LoggingConfig"]["LogGroup"].strip("<>")
    assert granted(MADE, role, "logs") == {f"<{group}.Arn>": {"logs:CreateLogStream", "logs:PutLogEvents"}}


@pytest.mark.parametrize("queue", ["RetryQueue", "DeferredQueue", "WorkQueue", "FailureQueue"])
def test_queue_refuses_plain_http_and_lets_in_nobody_else(queue):
    (policy,) = [each for each in MADE.of_type("AWS::SQS::QueuePolicy").values() if each["Queues"] == [f"<{queue}>"]]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert (statement["Principal"], statement["Action"]) == ("*", "sqs:*")
    assert statement["Resource"] == f"<{queue}.Arn>"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_key_is_administered_by_the_account_and_nobody_else():
    (statement,) = MADE.properties("EncryptionKey")["KeyPolicy"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


def test_only_this_api_calls_the_functions_behind_it():
    permissions = MADE.of_type("AWS::Lambda::Permission").values()
    assert {each["FunctionName"]: each["SourceArn"] for each in permissions} == {
        "<ReaderFunction>": f"{API}/*/*/session*",
        "<AdminFunction>": f"{API}/*/*/session/encryption/config",
        "<SessionKeysFunction>": f"{API}/*/POST/session/encryption/*-key",
    }
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["SourceAccount"] == "111122223333"


def test_nothing_in_the_stack_calls_the_item_reader_and_only_schedules_the_control_function():
    assert "<ItemReaderFunction.Arn>" not in json.dumps(MADE.resources)
    naming = {name for name, resource in MADE.resources.items() if "<ControlFunction.Arn>" in json.dumps(resource)}
    assert naming == {"ScheduleRole", "CatchUpSchedule", "ReencryptSchedule"}


TOPIC = "arn:aws:sns:eu-west-1:111122223333:alarms"
NOTICES_ONLY = SETTING_ONLY | {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["notices"]}}


def test_only_the_watcher_publishes_to_the_alarms_topic_alone_and_notes_what_it_told():
    stack = Stack(TEMPLATE, {"AlarmTopicArn": TOPIC})
    granted_to = {role: granted(stack, role, "sns") for role in ROLES.values()}
    assert {role: found for role, found in granted_to.items() if found} == {"WatcherRole": {TOPIC: {"sns:Publish"}}}
    written = [
        (statement["Resource"], statement.get("Condition"))
        for statement in stack.statements("WatcherRole")
        if "dynamodb:PutItem" in statement["Action"]
    ]
    assert written == [([CONTROL_TABLE], NOTICES_ONLY)]


def test_without_a_topic_the_watcher_writes_nothing():
    actions = {action for statement in MADE.statements("WatcherRole") for action in statement["Action"]}
    assert not actions & {"sns:Publish", "dynamodb:PutItem"}


@pytest.mark.parametrize("role", OF_DATA)
def test_statements_are_granted_to_nobody_where_writes_are_not_batched(role):
    one_by_one = Stack(translated(), {"BatchedWrites": "false"})
    assert not any("PartiQL" in action for each in one_by_one.statements(role) for action in each["Action"])
