"""The code that README and docs show, run as it stands by somebody who follows them on one stack.

A code block below ``<!-- test: name -->`` is run, but for the port, since another stack may run beside.
"""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests import lisa
from tests.documents import (
    EVENTS,
    FORMAT,
    LIBRARY,
    OPERATING,
    PATIENCE,
    PLAN,
    README,
    RECOVERY,
    TROUBLESHOOTING,
    TRYING,
    Reader,
    block,
    following,
    text,
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The stack that `python -m local up` runs, and the session that is written into it."""
    with following(tmp_path_factory.mktemp("readme")) as reader:
        yield reader


@pytest.fixture(scope="module")
def written(reader: Reader) -> dict[str, Any]:
    """What the README's writer prints: the session as the table holds it in the end."""
    stored: dict[str, Any] = json.loads(reader.python(block(TRYING, "writer"), alone=True))
    return stored


@pytest.fixture(scope="module")
def session() -> dict[str, Any]:
    """The session in the README's example of what goes in."""
    shown: dict[str, Any] = json.loads(example("A writer puts this:"))
    return shown


def example(sentence: str, document: str = README) -> str:
    """Return the first code block after a sentence of a document."""
    after = text(document).partition(sentence)[2]
    found = re.search(r"```\w*\n(.*?)```", after, re.DOTALL)
    assert found, sentence
    return found[1]


def test_the_writer_finds_its_session_encrypted(written: dict[str, Any], session: dict[str, Any]):
    shown = json.loads(example("A moment later the table holds this"))
    assert written.keys() == shown.keys()
    assert written["is_encrypted"] is True
    unencrypted = session.keys() - {"history", "configuration"}
    assert {name: written[name] for name in unencrypted} == {name: session[name] for name in unencrypted}
    assert "landlord" not in json.dumps(written)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.usefixtures("written")
def test_the_owner_reads_it_with_curl_and_puts_another_one(reader: Reader, session: dict[str, Any]):
    environment, read = block(TRYING, "environment"), block(TRYING, "read")
    answer = reader.bash(environment, read)
    assert json.loads(answer) == session
    assert answer.strip() == example("The owner reads it through the API:").strip()
    as_somebody_else = read.replace("token alice", "token bob")
    assert json.loads(reader.bash(environment, as_somebody_else))["statusCode"] == 404
    without_token = re.sub(r'-H "Authorization[^"]*\$\([^)]*\)"', "", read)
    assert json.loads(reader.bash(environment, without_token)) == {"message": "Unauthorized"}

    api_line = read.splitlines()[0]
    put, listed = (json.loads(line) for line in _documents(reader.bash(environment, api_line, block(TRYING, "put"))))
    assert (put["sessionId"], put["name"]) == ("dlg-2", "A second one")
    assert {(one["sessionId"], one["encrypted"]) for one in listed["sessions"]} == {("dlg-1", True), ("dlg-2", True)}


def _documents(answers: str) -> list[str]:
    """Return the JSON documents that stand one behind the other."""
    decoder, documents = json.JSONDecoder(), []
    while answers:
        _, end = decoder.raw_decode(answers)
        documents.append(answers[:end])
        answers = answers[end:].lstrip()
    return documents


@pytest.mark.usefixtures("written")
def test_support_reads_one_item(reader: Reader, session: dict[str, Any]):
    assert json.loads(reader.bash(block(OPERATING, "decrypt-item")))["history"] == session["history"]


@pytest.mark.usefixtures("written")
def test_a_service_reads_an_item(reader: Reader):
    assert "landlord" in reader.python(block(TRYING, "service"), alone=True)


def test_the_library_encrypts_and_decrypts(reader: Reader):
    assert "encrypted_history" in reader.python(block(LIBRARY, "library"))


def test_the_drop_in_reads_and_writes_in_the_clear(reader: Reader):
    assert "And low tide?" in reader.python(block("docs/readers.md", "drop-in"))


@pytest.mark.usefixtures("written")
def test_a_message_decrypts_without_the_project(reader: Reader, session: dict[str, Any]):
    proof = "\nimport sys\nassert not {'item_crypto', 'local', 'reader'} & sys.modules.keys()\n"
    history = json.loads(reader.python(block(FORMAT, "decrypt") + proof, alone=True))
    assert [message["M"]["content"]["S"] for message in history["L"]] == [m["content"] for m in session["history"]]


@pytest.mark.usefixtures("written")
def test_the_decryption_refuses_another_items_context(reader: Reader):
    code = block(FORMAT, "decrypt").replace('{**key, "purpose"', '{**key, "userId": "bob", "purpose"')
    assert '"userId": "bob"' in code
    with pytest.raises(AssertionError, match="does not match reproduced encryption context"):
        reader.python(code, alone=True)


@pytest.mark.usefixtures("written")
def test_an_envelope_tells_its_key_and_context(reader: Reader):
    printed = reader.python(block(TROUBLESHOOTING, "envelope"))
    assert printed.startswith(f"current {reader.stack['outputs']['KeyArn']} ")
    assert "'purpose': 'session-encryption'" in printed


def test_outputs_are_looked_up_in_the_local_stack(reader: Reader):
    printed = reader.bash(block(TROUBLESHOOTING, "local-output"), "output FailureQueueUrl")
    assert printed.strip() == reader.stack["outputs"]["FailureQueueUrl"]


@pytest.mark.usefixtures("written")
def test_a_restored_table_is_decrypted_with_the_same_key(reader: Reader):
    assert "landlord" in reader.python(block(RECOVERY, "restore"))


def test_a_conflict_is_looked_at_and_removed(reader: Reader):
    key = {"sessionId": "dlg-conflict", "userId": "alice"}
    clients = reader.clients()
    context = key | {"purpose": "session-encryption"}
    newer = lisa.ciphertext(clients.client("kms"), reader.stack["outputs"]["KeyArn"], ["newer"], context)
    table = clients.resource("dynamodb").Table(reader.stack["outputs"]["TableName"])
    old_form = {"encrypted_history": newer, "encryption_version": "1.0", "is_encrypted": True}
    table.put_item(Item={**key, "history": ["older"], **old_form})
    deadline = time.monotonic() + PATIENCE
    while "encrypted_history_conflict" not in table.get_item(Key=key, ConsistentRead=True)["Item"]:
        assert time.monotonic() < deadline, "the migrator did not resolve the conflict"
        time.sleep(0.1)

    assert reader.python(block(TROUBLESHOOTING, "conflict")).strip() == "{'L': [{'S': 'older'}]}"
    shown = reader.bash("stream-encryptor decrypt-item --local " + shlex.quote(json.dumps(key)))
    assert json.loads(shown)["history"] == ["newer"]
    removal = block(TROUBLESHOOTING, "conflict-removed")
    if shutil.which("aws"):
        reader.bash(block(TROUBLESHOOTING, "local-output"), removal)
    else:
        found = re.search(r"--update-expression '(.*)'", removal)
        assert found
        table.update_item(Key=key, UpdateExpression=found[1])
    assert "encrypted_history_conflict" not in table.get_item(Key=key, ConsistentRead=True)["Item"]


@pytest.mark.usefixtures("written")
def test_the_buckets_are_computed_as_told(reader: Reader):
    assert reader.python(block("docs/canary.md", "bucket"), alone=True) == "5666\n"


def test_an_existing_table_is_migrated_and_verified(reader: Reader):
    few = block(OPERATING, "existing").replace("range(600)", "range(24)")
    assert "range(24)" in few
    reader.python(few)
    assert "1 item put." in reader.bash(block(OPERATING, "existing-old-form"))

    before = reader.bash(block(OPERATING, "status"), code=1)
    shown = example("stream-encryptor verify --local\n```", OPERATING)
    for line in shown.splitlines():
        label = line.partition("  ")[0]
        if label in ("table", "attributes", "encryption", "stream mapping", "deferred keys", "key", "point in time"):
            assert label in before
    assert re.search(r"stream mapping +Disabled", before)
    assert re.search(r"^ *24  in plaintext", before, re.MULTILINE)
    assert re.search(r"^ *1  encrypted in the old form", before, re.MULTILINE)

    after = reader.bash(block(OPERATING, "migrate"))
    assert re.search(r"^ *25  encrypted *$", after, re.MULTILINE)
    assert re.search(r"^ *0  in plaintext", after, re.MULTILINE)
    assert re.search(r"As it should be: \d+ items, [1-9]\d* values decrypted, no plaintext and no old form", after)


def test_a_table_of_orders_is_planned(reader: Reader):
    reader.python(block(PLAN, "orders"))
    planned = reader.bash(block(PLAN, "plan"), code=1)
    shown = text(PLAN).partition("<!-- test: plan -->")[2].partition("```console\n")[2].partition("```")[0]
    for line in shown.splitlines():
        if line.startswith(("card", "address", "the whole item", "state", "new writes", "- ", "5", " ")):
            assert without_numbers(line) in without_numbers(planned), line
    assert "2 things in the way, of 501 items looked at." in planned
    assert "2 things in the way, of 501 items looked at." in shown


def without_numbers(words: str) -> str:
    """Return what is said, whatever the numbers: they differ a little with each run."""
    return re.sub(r"\s+", " ", re.sub(r"[\d.,]+", "0", words))


def test_an_administrator_switches_off_through_the_api(reader: Reader):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    before, after = map(json.loads, _documents(reader.bash(block(OPERATING, "config"))))
    assert (before["enabled"], before["version"]) == (True, 0)
    assert (after["enabled"], after["version"]) == (False, 1)
    again = _documents(reader.bash(block(OPERATING, "config")))[1]
    assert json.loads(again) == json.loads(example("the answer is 409 with the current version:", OPERATING))
    assert "version 1, by alice" in reader.bash("stream-encryptor config show --local")


@pytest.mark.usefixtures("written")
def test_a_canary_goes_from_off_over_parts_to_all(reader: Reader):
    output = reader.bash(block("docs/canary.md", "canary"))

    states = re.findall(r"^Encryption is (on[^(]*|off) \(", output, re.MULTILINE)
    part = ["on for 1% of the keys only"]
    assert states[-5:] == ["off", *part, *part, "on for 10% of the keys only", "on"]
    assert output.count("Dry run: nothing was changed.") == 1


def test_the_items_of_the_events_are_put(reader: Reader):
    # Last, since it disables the stack's event source mappings.
    assert "items put" in reader.bash(block(EVENTS, "put-items"))
