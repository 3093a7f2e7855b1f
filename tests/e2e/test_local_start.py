"""Starting the stack, and failing to."""

import socket
import urllib.request
from pathlib import Path

import pytest

from local import LocalStack, PortInUseError, TemplateError

TEMPLATE = Path(__file__).parents[1] / "integration" / "local_functions" / "template.yaml"


def test_the_application_deploys_with_a_key_that_works(tmp_path):
    parameters = {"StreamBatchSize": "7", "AllowedOrigins": "https://app.example"}
    with LocalStack(parameters=parameters, state_directory=tmp_path) as stack:
        assert stack.outputs["ApiUrl"] == stack.api_url
        kms = stack.client("kms")
        assert kms.describe_key(KeyId=stack.outputs["KeyArn"])["KeyMetadata"]["KeyState"] == "Enabled"
        assert kms.generate_data_key(KeyId=stack.outputs["KeyArn"], KeySpec="AES_256")["Plaintext"]
        mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert sorted(mapping["BatchSize"] for mapping in mappings) == [1, 7, 10, 10]
        preflight = urllib.request.Request(f"{stack.api_url}/session", method="OPTIONS")
        preflight.add_header("Origin", "https://app.example")
        with urllib.request.urlopen(preflight) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_a_template_that_does_not_deploy_says_why(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text("Resources: {Key: {Type: AWS::KMS::Alias, Properties: {AliasName: !GetAtt Nothing.Arn}}}")
    with pytest.raises(TemplateError, match="does not deploy"), LocalStack(path, state_directory=tmp_path):
        pass


def test_after_a_failed_start_the_next_one_works(tmp_path):
    with pytest.raises(TemplateError), LocalStack(tmp_path / "missing.yaml", state_directory=tmp_path):
        pass
    with LocalStack(TEMPLATE, parameters={"RecordFile": "x"}, state_directory=tmp_path) as stack:
        port = int(stack.endpoint_url.rpartition(":")[2])
        assert stack.invoke("EchoFunction", {"a": 1})["event"] == {"a": 1}
    with LocalStack(TEMPLATE, parameters={"RecordFile": "x"}, state_directory=tmp_path, port=port) as stack:
        assert stack.client("sqs").list_queues(QueueNamePrefix="local-Queue")["QueueUrls"]


def test_a_busy_api_port_is_named_too(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PortInUseError, match=str(port)),
            LocalStack(TEMPLATE, parameters={"RecordFile": "x"}, state_directory=tmp_path, api_port=port),
        ):
            pass
