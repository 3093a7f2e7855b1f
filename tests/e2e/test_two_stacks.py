"""Two stacks in one account and Region, deployed side by side: neither takes, names or reads what is the other's."""

from collections.abc import Iterator
from typing import Any

import pytest

from local import LocalStack, moto_state
from local.aws_clients import ClientFactory
from local.deployment import Addresses, deploy
from local.stack import DEFAULT_PARAMETERS
from local.state import ROOT
from local.template import load_template

SECOND = "second"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(state_directory=tmp_path_factory.mktemp("state")) as stack:
        yield stack


@pytest.fixture(scope="module")
def second(first: LocalStack) -> dict[str, str]:
    """The outputs of another deployment of the template beside the first, under the first one's key."""
    template = load_template(
        ROOT / "template.yaml",
        parameters={"KmsKeyArn": first.outputs["KeyArn"], "EncryptedAttributes": "history"},
        defaults=DEFAULT_PARAMETERS,
        region=first.region,
        supported_types=moto_state.supported_types(),
    )
    addresses = Addresses(first.endpoint_url, first.api_url, first.region)
    clients = ClientFactory(first.endpoint_url, first.region)
    return deploy(template, stack_name=SECOND, clients=clients, addresses=addresses).outputs


def physical_ids(stack: LocalStack, name: str) -> dict[str, str]:
    pages = stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }


def test_nothing_is_in_both_but_the_key(first: LocalStack, second: dict[str, str]):
    ours, theirs = physical_ids(first, "local"), physical_ids(first, SECOND)
    assert len(theirs) > 40
    assert set(ours.values()) & set(theirs.values()) - {""} == set()  # moto gives no id to some.
    shared = {name for name in second if second[name] == first.outputs[name]}
    # The local stack has one address for all HTTP APIs.
    assert shared == {"KeyArn", "ApiUrl", "AdminPageUrl"}


def test_each_stream_and_queue_leads_to_its_own_stacks_function(first: LocalStack, second: dict[str, str]):
    mappings: list[dict[str, Any]] = first.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == 8
    for mapping in mappings:
        function = mapping["FunctionArn"].rpartition(":")[2]
        ours = function.startswith("local-")
        ids = physical_ids(first, "local" if ours else SECOND)
        queues = {url.rpartition("/")[2] for name, url in ids.items() if name.endswith("Queue")}
        stream = (first.outputs if ours else second)["TableStreamArn"]
        assert mapping["EventSourceArn"] == stream or mapping["EventSourceArn"].rpartition(":")[2] in queues


def test_the_first_leaves_the_seconds_table_alone(first: LocalStack, second: dict[str, str]):
    item = {"sessionId": "s", "userId": "u", "history": ["plain"]}
    tables = [first.resource("dynamodb").Table(outputs["TableName"]) for outputs in (first.outputs, second)]
    for table in tables:
        table.put_item(Item=item)
    first.wait_until_idle()
    ours, theirs = (table.get_item(Key={"sessionId": "s", "userId": "u"})["Item"] for table in tables)
    assert "history" not in ours
    assert theirs == item
