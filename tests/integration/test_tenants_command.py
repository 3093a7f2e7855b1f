"""`stream-encryptor tenants …`, over the migrator itself."""

import json
from typing import Any

import pytest

from tests.branch_keys import ALICE
from tests.migration import Migration
from tests.operated import Run, printed


def states(run: Run) -> dict[str | None, str]:
    document = json.loads(printed(run("tenants", "list", "--json")))
    return {each["tenant"]: each["state"] for each in document["branchKeys"]}


def test_keys_when_made_rotated_and_listed_then_each_is_told(branched: Migration, run: Run) -> None:
    assert "No branch keys" in printed(run("tenants", "list"))
    made, again = run("tenants", "make", "alice"), run("tenants", "make", "alice")
    rotated, listed = run("tenants", "rotate", "alice"), run("tenants", "list")

    assert printed(made) == f"The branch key {ALICE} is made."
    assert printed(again) == f"The branch key {ALICE} is there already."
    assert f"The branch key {ALICE} has a new version" in printed(rotated)
    assert all(text in printed(listed) for text in ("alice", "active", ALICE))
    assert [each.exit_code for each in (made, again, rotated, listed)] == [0, 0, 0, 0]


def test_dry_runs_when_asked_then_nothing_is_made_or_destroyed(branched: Migration, run: Run) -> None:
    assert "it would be made. Dry run: nothing was changed." in printed(run("tenants", "make", "alice", "--dry-run"))
    assert states(run) == {}
    branched.plain("s1")
    run("tenants", "make", "alice")

    refused = run("tenants", "shred", "alice", "--dry-run")
    assert refused.exit_code == 1
    assert "1 in plaintext" in printed(refused)
    assert "would not be destroyed. Dry run" in printed(refused)
    branched.run("encrypt")
    would = run("tenants", "shred", "alice", "--dry-run")
    assert "The tenant has 1 item; its branch key is active, and would be destroyed." in printed(would)
    assert "it would have a new version" in printed(run("tenants", "rotate", "alice", "--dry-run"))
    assert states(run) == {"alice": "active"}


def test_tenant_when_shredded_then_it_says_what_is_gone_and_until_when_copies_are_not(
    branched: Migration, run: Run
) -> None:
    branched.plain("s1")
    branched.run("encrypt")

    result = run("tenants", "shred", "alice", input="alice\n")

    assert result.exit_code == 0
    assert "1 item of the tenant cannot be read" in printed(result)
    assert "the branch key that a function keeps" in printed(result)
    assert "until deleted" in printed(result)
    assert states(run) == {None: "destroyed"}
    assert run("tenants", "make", "alice").exit_code == 4
    assert run("tenants", "rotate", "alice").exit_code == 4


@pytest.mark.parametrize("typed", ["bob\n", "y\n", "\n\n", ""], ids=["another name", "yes", "nothing", "nobody there"])
def test_tenant_when_the_name_is_not_typed_again_then_nothing_is_destroyed(
    branched: Migration, run: Run, typed: str
) -> None:
    branched.plain("s1")
    branched.run("encrypt")

    result = run("tenants", "shred", "alice", input=typed)

    assert result.exit_code == 2
    assert "nothing is destroyed" in result.stderr
    assert states(run) == {"alice": "active"}


def test_tenant_when_something_would_stay_readable_then_refused_and_what_helps_is_told(
    branched: Migration, run: Run
) -> None:
    branched.plain("s1")
    run("tenants", "make", "alice")

    result = run("tenants", "shred", "alice", "--yes")

    assert result.exit_code == 4
    assert "1 in plaintext. Nothing was destroyed. `stream-encryptor migrate" in result.stderr
    assert states(run) == {"alice": "active"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("list",), 4), (("make", "alice"), 4), (("rotate", "alice"), 4), (("shred", "alice", "--yes"), 4)],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_stack_when_it_has_no_branch_keys_then_that_is_said(
    world: Migration, run: Run, arguments: tuple[str, ...], code: int
) -> None:
    result = run("tenants", *arguments)

    assert result.exit_code == code
    assert "The stack has no branch keys: its KeyringType is kms." in result.stderr


def test_status_when_the_stack_has_branch_keys_then_it_says_so(branched: Migration, run: Run) -> None:
    assert "one for each userId, in branch-keys\n" in printed(run("status")) + "\n"
    branched.set(KEYRING_TYPE="kms")
    assert "one for each userId, in branch-keys, only read" in printed(run("status"))
    branched.set(KEYRING_TYPE="hierarchical", TENANT_ATTRIBUTE="")
    assert "one for all items, in branch-keys" in printed(run("status"))
    branched.set(KEYRING_TYPE="kms", BRANCH_KEY_TABLE_NAME="")
    assert "branch keys" not in printed(run("status"))


def test_documents_when_asked_for_then_one_each(branched: Migration, run: Run) -> None:
    branched.plain("s1")
    branched.run("encrypt")

    def document(*arguments: str) -> Any:
        return json.loads(printed(run("tenants", *arguments, "--json")))

    assert document("make", "bob")["made"] is True
    assert document("rotate", "bob")["branchKey"]["tenant"] == "bob"
    assert document("list", "bob")["branchKeys"][0]["state"] == "active"
    assert document("list", "carol") == {"branchKeys": []}
    assert document("make", "carol", "--dry-run") == {"dryRun": True, "state": "absent"}
    assert document("shred", "alice", "--dry-run") == {"dryRun": True, "state": "active", "items": 1, "readable": {}}
    shredded = document("shred", "alice", "--yes")
    assert (shredded["shredded"], shredded["items"]) == (True, 1)
