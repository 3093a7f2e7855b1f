"""Every role of the deployed template against what the functions do (allowed) and must not do (denied), as a matrix.

A local run has the functions do their work and records each call; IAM's answer to it, and to what a role must never be
able to, comes from npm's ``iam-simulate``, over the policies as CloudFormation resolves them (``make test-iam``).
"""

import ast
import json
import shutil
import subprocess
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from local import LocalStack
from local.dynamodb_local import installed
from local.endpoint import Call
from local.errors import LocalStackError
from local.lisa import lisa_item
from tests.iam.requests import Request, requests_of

HERE: Final = Path(__file__).parent
ACCOUNT: Final = "123456789012"
FUNCTIONS: Final = (
    "StreamEncryptor",
    "Retry",
    "Reader",
    "ItemReader",
    "Migrator",
    "Deferred",
    "Control",
    "Admin",
    "SessionKeys",
    "AdminPage",
    "Watcher",
)
ROLES: Final = (*FUNCTIONS, "Schedule")
HASH_KEYS: Final = {"SessionTable": "sessionId", "ControlTable": "id"}
TOPIC: Final = "alarms"
TOPIC_ARN: Final = f"arn:aws:sns:us-east-1:{ACCOUNT}:{TOPIC}"
OTHER_KEY: Final = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/ffffffff-ffff-4fff-8fff-ffffffffffff"


@dataclass(frozen=True)
class Recorded:
    """A local run: the roles' policies by role, the key's policy, and what was asked of IAM by whom."""

    policies: dict[str, list[Any]]
    key_policy: Any
    outputs: dict[str, str]
    control_table: str
    functions: dict[str, str]
    asked: dict[str, set[Request]]

    @property
    def table(self) -> str:
        return f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{self.outputs['TableName']}"

    @property
    def control(self) -> str:
        return f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{self.control_table}"

    def queue(self, name: str) -> str:
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{self.outputs[f'{name}QueueUrl'].rpartition('/')[2]}"


@pytest.fixture(scope="session")
def simulator() -> None:
    """npm's simulator, installed."""
    if shutil.which("node") is None or not (HERE / "node_modules").is_dir():
        reason = "the IAM simulator is not installed (node, and: npm ci --prefix tests/iam)"
        warnings.warn(f"NO POLICY WAS EVALUATED: {reason}", stacklevel=1)
        pytest.skip(f"NOT RUN: {reason}")


@pytest.fixture(scope="session")
def recorded(simulator: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """What the functions ask for when each of them does all of its work."""
    parameters = {"SettingCacheSeconds": "0", "AlarmTopicArn": TOPIC_ARN}
    with LocalStack(state_directory=tmp_path_factory.mktemp("iam"), parameters=parameters, dynamodb=player()) as stack:
        calls: list[Call] = []
        functions = {
            configuration["FunctionName"]: configuration
            for configuration in stack.client("lambda").list_functions()["Functions"]
        }
        stack.observe(calls.append)
        work(stack)
        tables = {
            f"local-{name}": key
            for name, key in HASH_KEYS.items()  # moto's names of what the template makes
        }
        names = {name: name.removeprefix("local-").removesuffix("Function") for name in functions}
        asked: dict[str, set[Request]] = {role: set() for role in ROLES}
        for call in calls:
            if call.caller:
                asked[names[call.caller]] |= set(requests_of(call, stack.region, ACCOUNT, tables))
        for role, request in by_lambda(stack, names):
            asked[role].add(request)
        control = functions["local-ControlFunction"]["FunctionArn"].removesuffix(":$LATEST")
        asked["Schedule"].add(Request("lambda:InvokeFunction", control))
        iam, kms = stack.client("iam"), stack.client("kms")
        roles = {role["RoleName"]: role["RoleName"] for role in iam.list_roles()["Roles"]}
        yield Recorded(
            {role: policies_of(iam, next(name for name in roles if f"-{role}Role" in name)) for role in ROLES},
            json.loads(kms.get_key_policy(KeyId=stack.outputs["KeyArn"], PolicyName="default")["Policy"]),
            stack.outputs,
            stack.outputs["ControlTableName"],
            {names[name]: one["FunctionArn"].removesuffix(":$LATEST") for name, one in functions.items()},
            asked,
        )


def player() -> Literal["moto", "local"]:
    """Return who plays DynamoDB: without DynamoDB Local, nobody writes many items in one request."""
    try:
        installed()
    except LocalStackError as error:
        warnings.warn(f"NOTHING WAS PROVED of batched writes: {error}", stacklevel=1)
        return "moto"
    return "local"


def work(stack: LocalStack) -> None:
    """Have every function do all that it does."""
    table = stack.resource("dynamodb").Table(stack.outputs["TableName"])
    kms, sqs = stack.client("kms"), stack.client("sqs")

    def session(number: int) -> dict[str, Any]:
        return {"sessionId": f"dlg-{number}", "userId": "alice", "startTime": "2026", "history": [{"n": str(number)}]}

    def call(method: str, path: str, body: Any = None, admin: bool = False) -> Any:
        headers = {"Authorization": f"Bearer {stack.token('alice', admin=admin)}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(stack.api_url + path, method=method, headers=headers, data=data)
        with urllib.request.urlopen(asked, timeout=60) as response:
            return json.loads(response.read() or "null")

    def command(name: str, **fields: Any) -> Any:
        answer = stack.invoke("ControlFunction", {"command": name, "by": "test", **fields})
        assert "error" not in answer, answer
        return answer

    stack.client("sns").create_topic(Name=TOPIC)
    for number in range(4):
        table.put_item(Item=session(number))
    # The old form, which the stream's function defers; and no form at all, which is a dead letter.
    table.put_item(Item=lisa_item(kms, stack.outputs["KeyArn"], session(4), ["history"]) | {"history": []})
    table.put_item(Item={"sessionId": "poison", "userId": "mallory", "encrypted_history": "%%%"})
    key = {"sessionId": {"S": "dlg-0"}, "userId": {"S": "alice"}}
    for kind, queue in (("retry", "Retry"), ("deferred", "Deferred")):
        message = {"kind": kind, "table": stack.outputs["TableName"], "key": key, "reason": "kms-ThrottlingException"}
        poison = message | {"key": {"sessionId": {"S": "poison"}, "userId": {"S": "mallory"}}}
        late = message | {"key": {"sessionId": {"S": "dlg-4"}, "userId": {"S": "alice"}}}
        for one in (message, poison, late):
            sqs.send_message(QueueUrl=stack.outputs[f"{queue}QueueUrl"], MessageBody=json.dumps(one))
    sqs.send_message(QueueUrl=stack.outputs["WorkQueueUrl"], MessageBody="no work")
    stack.wait_until_idle(120)
    call("GET", "/session")
    call("GET", "/session/dlg-1")
    call("PUT", "/session/dlg-9", {"history": [{"n": "9"}]})
    call("DELETE", "/session/dlg-9")
    stack.invoke("ItemReaderFunction", {"Key": key})
    call("GET", "/session/encryption/config", admin=True)
    made = call("POST", "/session/encryption/generate-key", {"sessionId": "dlg-9"})
    call("POST", "/session/encryption/decrypt-key", {"sessionId": "dlg-9", "encryptedKey": made["encryptedKey"]})
    command("status")
    command("failures")
    command("redrive")
    for goal in ("encrypt", "re-encrypt", "verify"):
        sweep = command("start", goal=goal, segments=2, deep=goal == "verify", force=True)["sweep"]["id"]
        stack.wait_until_idle(120)
        command("sweep", sweep=sweep)
    command("judge", sweep=sweep)
    command("report", html=True)
    paused = command("start", goal="encrypt", segments=1, rate=0.1, force=True)["sweep"]["id"]
    command("set-rate", sweep=paused, rate=0.2)
    command("pause", sweep=paused)
    command("resume", sweep=paused)
    command("cancel", sweep=paused)
    command("decrypt-item", key=key)
    letter = command("failures")["failures"][0]["id"]
    command("dry-run", of="start", goal="encrypt")
    command("dry-run", of="redrive")
    command("dry-run", of="discard", id=letter, reason="of no use")
    command("dry-run", of="set-config", enabled=True, version=0, part={"buckets": 100})
    command("discard", id=letter, reason="of no use")
    command("set-config", enabled=False, version=0, confirm="switch-off")
    command("start", goal="decrypt", segments=1, force=True)
    stack.wait_until_idle(120)
    call("PUT", "/session/encryption/config", {"enabled": True, "version": 1}, admin=True)
    command("config")
    call("GET", "/admin/api/status", admin=True)
    call("GET", "/admin/api/plaintext-window", admin=True)
    call("GET", "/admin/api/actions", admin=True)
    stack.wait_until_idle(120)
    stack.invoke("WatcherFunction", {})


def by_lambda(stack: LocalStack, names: dict[str, str]) -> Iterator[tuple[str, Request]]:
    """Yield what Lambda itself does under a function's role, for its event source mappings."""
    for mapping in stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
        role, source = names[mapping["FunctionArn"].rpartition(":")[2]], mapping["EventSourceArn"]
        if ":sqs:" in source:
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"):
                yield role, Request(f"sqs:{action}", source)
        else:
            # And ListStreams, for which the simulator knows no resource; SAM's own stream policy grants it alike.
            for action in ("DescribeStream", "GetShardIterator", "GetRecords"):
                yield role, Request(f"dynamodb:{action}", source)
            yield role, Request("sqs:SendMessage", mapping["DestinationConfig"]["OnFailure"]["Destination"])


def policies_of(iam: Any, role: str) -> list[Any]:
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
    # moto keeps what CloudFormation gives it as the text of a Python object, in which AWS::NoValue is None.
    policies = [ast.literal_eval(document) if isinstance(document, str) else document for document in documents]
    return [
        policy | {"Statement": [statement for statement in policy["Statement"] if statement is not None]}
        for policy in policies
    ]


def context(**values: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"kms:EncryptionContext:{name}", value) for name, value in values.items())


def leading(value: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("dynamodb:LeadingKeys", (value,)),)


def forbidden(role: str, run: Recorded) -> list[Request]:
    """Return what a role must not be able to do."""
    key, table, control = run.outputs["KeyArn"], run.table, run.control
    ours = context(userId="alice", sessionId="dlg-1", purpose="session-encryption")
    theirs = context(userId="alice", sessionId="dlg-1", purpose="billing")
    never = [Request(f"kms:{action}", key, at) for action in ("GenerateDataKey", "Decrypt") for at in (theirs, ())]
    never += [Request(f"kms:{action}", OTHER_KEY, ours) for action in ("GenerateDataKey", "Decrypt")]
    never += [Request("kms:Encrypt", key, ours)]
    never += [
        Request(f"kms:{action}", key) for action in ("ScheduleKeyDeletion", "DisableKey", "PutKeyPolicy", "CreateGrant")
    ]
    # PutItem would drop what others wrote; these others would end the table, or copy it out.
    never += [Request("dynamodb:PutItem", table, leading("dlg-1"))]
    never += [
        Request(f"dynamodb:{action}", table) for action in ("DeleteTable", "UpdateTable", "ExportTableToPointInTime")
    ]
    never += [Request(f"dynamodb:PartiQL{verb}", table) for verb in ("Select", "Insert", "Delete")]
    if role not in ("StreamEncryptor", "Migrator"):
        never += [Request("dynamodb:PartiQLUpdate", table)]
    never += [Request("dynamodb:GetItem", f"{table}-of-somebody-else", leading("dlg-1"))]
    never += [Request("dynamodb:PartiQLUpdate", place) for place in (f"{table}-of-somebody-else", control)]
    never += [Request(f"dynamodb:{action}", control) for action in ("DeleteTable", "Scan")]
    never += [Request(f"sqs:{action}", run.queue("Failure")) for action in ("PurgeQueue", "DeleteQueue")]
    never += [Request("lambda:UpdateFunctionConfiguration", arn) for arn in run.functions.values()]
    invoked = [name for name in run.functions if (role, name) not in (("Schedule", "Control"), ("Admin", "Control"))]
    never += [Request("lambda:InvokeFunction", run.functions[name]) for name in invoked]
    if role in ("StreamEncryptor", "Retry", "Admin", "AdminPage", "Schedule", "Watcher"):
        never += [Request("kms:Decrypt", key, ours)]  # Who only ever encrypts cannot read what is encrypted.
    if role in ("Admin", "AdminPage", "Schedule", "Watcher"):
        never += [Request("kms:GenerateDataKey", key, ours)]
    if role in ("Admin", "AdminPage", "Schedule", "SessionKeys", "Watcher"):
        never += [Request(f"dynamodb:{action}", table, leading("dlg-1")) for action in ("GetItem", "UpdateItem")]
    if role not in ("Migrator", "Control"):
        never += [Request("dynamodb:Scan", table)]
    if role != "Reader":
        never += [Request("dynamodb:DeleteItem", table, leading("dlg-1"))]
        never += [Request("dynamodb:Query", f"{table}/index/byUserId", leading("alice"))]
    if role not in ("Control", "Admin"):
        # The setting is the operator's and the administrator's; a sweep follows it.
        never += [Request(f"dynamodb:{action}", control, leading("setting")) for action in ("PutItem", "UpdateItem")]
    if role not in ("Control", "Migrator"):
        never += [Request(f"dynamodb:{action}", control, leading("sweep#1")) for action in ("PutItem", "UpdateItem")]
    if role not in ("Control", "Migrator", "Watcher"):
        never += [Request("dynamodb:GetItem", control, leading("sweep#1"))]
        never += [Request("dynamodb:PutItem", control, leading("notices"))]
    if role != "Watcher":
        never += [Request("sns:Publish", TOPIC_ARN)]
    never += [Request("sns:Publish", f"{TOPIC_ARN}-of-somebody-else")]
    if role != "Control":
        # What was done is nobody's to take back, nor to make up: it is added by those who carry it out.
        never += [Request(f"dynamodb:{action}", control, leading("actions")) for action in ("UpdateItem", "DeleteItem")]
    if role not in ("Control", "Admin"):
        never += [Request("dynamodb:PutItem", control, leading("actions"))]
    if role != "Admin":
        never += [Request("cloudwatch:GetMetricData", "*")]
    if role != "Control":
        never += [Request("sqs:DeleteMessage", run.queue("Failure"))]
    if role not in ("Control", "Watcher"):
        never += [Request("sqs:ReceiveMessage", run.queue("Failure"))]
    if role == "AdminPage":
        # Anyone may call it: it may do nothing that any of the others does.
        never += sorted(set().union(*run.asked.values()), key=str)
    return never


def verdicts(run: Recorded, asked: Iterable[tuple[str, Request]], *, mend: bool = True) -> list[str]:
    """Return IAM's answer to each request of a role."""
    requests = [
        {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{role}",
            "policies": run.policies[role],
            "resourcePolicy": run.key_policy if request.action.startswith("kms:") else None,
            "action": request.action,
            "resource": request.resource,
            "context": {name: list(value) if isinstance(value, tuple) else value for name, value in request.context},
        }
        for role, request in asked
    ]
    done = subprocess.run(
        ["node", str(HERE / "simulate.mjs")],
        input=json.dumps({"requests": requests, "mend": mend}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[str] = json.loads(done.stdout)
    return answers


def test_simulator_then_an_encryption_context_counts_only_since_it_is_renamed(recorded: Recorded) -> None:
    key = recorded.outputs["KeyArn"]
    asked = [
        ("Reader", Request("kms:Decrypt", key, context(purpose=purpose)))
        for purpose in ("session-encryption", "billing")
    ]

    assert verdicts(recorded, asked) == ["Allowed", "ImplicitlyDenied"]
    # A later version that knows these keys needs no mending, and this line says so.
    assert verdicts(recorded, asked, mend=False) == ["ImplicitlyDenied", "ImplicitlyDenied"]


def test_every_function_then_it_made_calls_and_may_make_each_of_them(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [(role, request) for role in ROLES for request in sorted(recorded.asked[role], key=str)]
    if player() == "local":
        together = {role for role, request in asked if request.action == "dynamodb:PartiQLUpdate"}
        assert together == {"StreamEncryptor", "Migrator"}
    # The page's function serves files and asks for nothing.
    assert {role for role, _ in asked} == set(ROLES) - {"AdminPage"}

    answers = verdicts(recorded, asked)

    with capsys.disabled():
        show("what the functions do", asked, answers)
        print(f"\ngranted, and not asked for in this run\n{unseen(recorded)}")
    assert [
        (role, str(request)) for (role, request), answer in zip(asked, answers, strict=True) if answer != "Allowed"
    ] == []


def test_every_role_then_it_may_not_do_what_it_must_not(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [(role, request) for role in ROLES for request in forbidden(role, recorded)]

    answers = verdicts(recorded, asked)

    with capsys.disabled():
        show("what they must not do", asked, answers)
    assert [
        (role, str(request)) for (role, request), answer in zip(asked, answers, strict=True) if answer == "Allowed"
    ] == []


def unseen(run: Recorded) -> str:
    """Return what is granted and was not asked for in this run: for whoever looks for grants that nothing needs."""
    lines = []
    for role in FUNCTIONS:
        statements = [statement for policy in run.policies[role] for statement in policy["Statement"]]
        granted = {
            action
            for statement in statements
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        }
        left = granted - {request.action for request in run.asked[role]}
        lines.append(f"  {role}: {', '.join(sorted(action for action in left if not action.startswith('logs:')))}")
    return "\n".join(lines)


def show(title: str, asked: list[tuple[str, Request]], answers: list[str]) -> None:
    """Print who may do what: a line an action and resource, a column a role."""
    cells: dict[str, dict[str, str]] = {}
    for (role, request), answer in zip(asked, answers, strict=True):
        resource = request.resource.split(":", 5)[-1].removeprefix("table/")
        purpose = dict(request.context).get("kms:EncryptionContext:purpose")
        row = f"{request.action} {resource[-44:]}" + (f" [{purpose}]" if purpose else "")
        if resource == "local-ControlTable" and request.context:
            (kind,) = request.context[0][1]
            row += f" [{kind}]" if kind in ("setting", "actions", "notices") else " [sweeps]"
        cells.setdefault(row, {})[role] = "yes" if answer == "Allowed" else "no"
    width = max(map(len, cells))
    print(f"\n\n{title}\n{'':{width}} " + " ".join(f"{role[:9]:>9}" for role in ROLES))
    for row, answers_of in sorted(cells.items()):
        print(f"{row:{width}} " + " ".join(f"{answers_of.get(role, ''):>9}" for role in ROLES))
