"""What becomes of the stack when it is updated, deleted, or made anew beside what it left behind."""

import re

import pytest

from tests.unit.sam_template import Stack, source, translated

TEMPLATE = translated()
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table"
EXISTING = {"TableName": "chats", "TableStreamArn": f"{TABLE}/chats/stream/2026-01-02T08:30:00.000"}
LONGEST_NAME = "s" * 128
QUEUES = ["RetryQueue", "DeferredQueue", "WorkQueue"]


def stack_id(name: str, unique: str) -> dict[str, str]:
    arn = f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/{unique}"
    return {"AWS::StackName": name, "AWS::StackId": arn}


FIRST, SECOND = (
    Stack(TEMPLATE, {}, stack_id("app", unique))
    for unique in ("0a1b2c3d-1111-4222-8333-444455556666", "9f8e7d6c-1111-4222-8333-444455556666")
)


class TestIndex:
    def test_name_of_the_made_tables_index_is_fixed(self):
        """Another name is two index changes in one update, which DynamoDB refuses."""
        (index,) = Stack(TEMPLATE, {"UserIndexName": "mine"}).properties("SessionTable")["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "byUserId"

    @pytest.mark.parametrize(
        ("given", "name", "arn"),
        [({}, "byUserId", "<SessionTable.Arn>"), ({**EXISTING, "UserIndexName": "mine"}, "mine", f"{TABLE}/chats")],
        ids=["made", "existing"],
    )
    def test_reader_lists_by_the_index_that_is_there_and_may_query_it(self, given, name, arn):
        made = Stack(TEMPLATE, given)
        assert made.properties("ReaderFunction")["Environment"]["Variables"]["USER_INDEX_NAME"] == name
        (query,) = [each for each in made.statements("ReaderRole") if each["Action"] == ["dynamodb:Query"]]
        assert query["Resource"] == [f"{arn}/index/{name}"]


class TestControlTable:
    def test_one_that_is_given_is_used_and_none_is_made(self):
        made = Stack(TEMPLATE, {"ControlTableName": "left-behind"})
        assert "ControlTable" not in made.resources
        assert made.outputs["ControlTableName"]["Value"] == "left-behind"
        for name, function in made.of_type("AWS::Lambda::Function").items():
            assert function["Environment"]["Variables"]["CONTROL_TABLE_NAME"] == "left-behind", name

    def test_every_grant_follows_it(self):
        made, given = Stack(TEMPLATE, {}), Stack(TEMPLATE, {"ControlTableName": "left-behind"})
        for role in made.of_type("AWS::IAM::Role"):
            expected = [
                [resource.replace("<ControlTable.Arn>", f"{TABLE}/left-behind") for resource in each["Resource"]]
                for each in made.statements(role)
            ]
            assert [each["Resource"] for each in given.statements(role)] == expected


class TestLogGroups:
    @pytest.mark.parametrize("name", FIRST.of_type("AWS::Logs::LogGroup"))
    def test_they_survive_the_stack_but_not_a_deployment_that_never_was(self, name):
        group = FIRST.resources[name]
        assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_a_stack_made_anew_under_the_same_name_has_others(self):
        first, second = (
            {group["LogGroupName"] for group in made.of_type("AWS::Logs::LogGroup").values()}
            for made in (FIRST, SECOND)
        )
        assert len(first) == len(second) == 11
        assert not first & second

    def test_names_begin_as_the_output_says(self):
        prefix = FIRST.outputs["LogGroupPrefix"]["Value"]
        groups = FIRST.of_type("AWS::Logs::LogGroup")
        for name, group in groups.items():
            if name != "ApiLogGroup":
                assert group["LogGroupName"].startswith(f"{prefix}-")
        # Under this prefix API Gateway needs no growing resource policy.
        assert groups["ApiLogGroup"]["LogGroupName"].startswith("/aws/vendedlogs/")


class TestQueues:
    @pytest.mark.parametrize("queue", QUEUES)
    def test_name_fits_however_long_the_stacks_is(self, queue):
        made = Stack(TEMPLATE, {}, stack_id(LONGEST_NAME, "0a1b2c3d-1111-4222-8333-444455556666"))
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", made.properties(queue)["QueueName"])

    @pytest.mark.parametrize("queue", QUEUES)
    def test_name_is_another_one_for_a_stack_made_anew(self, queue):
        """SQS refuses the name of a queue for 60 seconds after the queue was deleted."""
        assert FIRST.properties(queue)["QueueName"] != SECOND.properties(queue)["QueueName"]


class TestLayer:
    def test_each_stack_has_a_layer_of_its_own(self):
        one, other = (
            Stack(TEMPLATE, {}, stack_id(name, "0a1b2c3d-1111-4222-8333-444455556666"))
            for name in ("one", LONGEST_NAME)
        )
        names = [next(iter(made.of_type("AWS::Lambda::LayerVersion").values()))["LayerName"] for made in (one, other)]
        assert names[0] != names[1]
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,140}", name) for name in names)


def test_samconfig_and_the_template_name_one_architecture_until_somebody_changes_both():
    import tomllib

    from tests.unit.sam_template import ROOT

    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    default = source()["Parameters"]["Architecture"]["Default"]
    assert config["global"]["parameters"]["parameter_overrides"] == [f"Architecture={default}"]
    assert not any("parameter_overrides" in config[command]["parameters"] for command in config if command != "global")
