"""The whole application on this machine: no AWS account, no Docker, and no Java unless DynamoDB Local is asked for.

    with LocalStack(parameters={"StreamBatchSize": "10"}) as stack:
        stack.client("dynamodb").put_item(TableName=stack.outputs["TableName"], Item={...})
        stack.wait_until_idle()
        headers = {"Authorization": f"Bearer {stack.token('alice')}"}
        requests.get(f"{stack.api_url}/session/1", headers=headers)

`template.yaml` is translated by the SAM translator and deployed to moto, which plays DynamoDB, KMS, SQS and
CloudFormation. What moto does not run is run here: each function in processes of its own, the event source
mappings, and the HTTP API with its authorizer. On the command line: `python -m local --help`.

Everything listens on 127.0.0.1 only (`up` lets containers on this machine in as well) and lives in memory. One stack
a process; `mock_aws` must not be active beside it. For development and tests: IAM policies, throttling and quotas are
not enforced.
"""

from typing import TYPE_CHECKING

from local.errors import FunctionError, LocalStackError, NotIdleError, PortInUseError, TemplateError

if TYPE_CHECKING:
    from local.stack import LocalStack

__all__ = [
    "FunctionError",
    "LocalStack",
    "LocalStackError",
    "NotIdleError",
    "PortInUseError",
    "TemplateError",
]


def __getattr__(name: str) -> object:
    """Import `LocalStack` on first use: moto takes a second or two, which `token` can do without."""
    if name != "LocalStack":
        raise AttributeError(name)
    from local.stack import LocalStack

    return LocalStack
