"""The watcher as the template deploys it, on the local stack: its environment fits what is there."""

import json
from pathlib import Path
from typing import Any

from local import LocalStack


def told(stack: LocalStack) -> dict[str, Any]:
    """Have the watcher look; return the metrics that it wrote then."""
    log = stack.log_files["WatcherFunction"]
    before = len(log.read_text())
    stack.invoke("WatcherFunction", {})
    lines = [line for line in log.read_text()[before:].splitlines() if '"_aws"' in line]
    (line,) = lines
    metrics: dict[str, Any] = json.loads(line)
    return metrics


def test_given_the_deployed_stack_when_looked_then_mappings_and_stream_are_found(tmp_path: Path) -> None:
    with LocalStack(state_directory=tmp_path, workers=1) as stack:
        as_deployed = told(stack)
        client = stack.client("lambda")
        mappings = client.list_event_source_mappings()["EventSourceMappings"]
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        all_disabled = told(stack)

        assert len(mappings) == 4
        assert (as_deployed["MappingsDisabled"], as_deployed["StreamReplaced"]) == ([0.0], [0.0])
        assert (all_disabled["MappingsDisabled"], all_disabled["StreamReplaced"]) == ([4.0], [0.0])
        # The control function compares the stream at its start.
        assert "error" not in stack.invoke("ControlFunction", {"command": "config"})


def test_given_a_topic_when_a_sweep_has_ended_then_it_is_told_once(tmp_path: Path) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with LocalStack(state_directory=tmp_path, workers=1, parameters={"AlarmTopicArn": topic}) as stack:
        sns, sqs = stack.client("sns"), stack.client("sqs")
        sns.create_topic(Name="alarms")
        inbox = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
        started = stack.invoke("ControlFunction", {"command": "start", "goal": "verify", "by": "dana"})["sweep"]["id"]
        stack.wait_until_idle(120)

        stack.invoke("WatcherFunction", {})
        stack.invoke("WatcherFunction", {})

        (message,) = sqs.receive_message(QueueUrl=inbox, MaxNumberOfMessages=10, WaitTimeSeconds=2)["Messages"]
        assert json.loads(message["Body"])["Subject"] == f"Sweep {started} (verify) ended: done - local"
