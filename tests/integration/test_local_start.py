"""Starting the stack, and failing to."""

import socket
from pathlib import Path

import pytest

from local import LocalStack, PortInUseError, TemplateError

TEMPLATE = Path(__file__).parent / "local_functions" / "template.yaml"


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
