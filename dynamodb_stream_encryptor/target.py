"""Which stack a command works on: one in AWS by its name, or the local one by its file.

Neither is a default. A command that changes a table must not depend on which file lies about.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from getpass import getuser
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_stream_encryptor.errors import Unreachable, UsageError
from dynamodb_stream_encryptor.local_stack import local_session
from dynamodb_stream_encryptor.local_stack import state_directory as default_state_directory
from dynamodb_stream_encryptor.service_errors import explained

_CONTROL_FUNCTION: Final = "ControlFunctionName"
_CONNECT_SECONDS: Final = 5
# An invocation is not to be sent twice because its answer takes long: 900 s is the longest that a function may run.
_INVOCATION: Final = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=900, tcp_keepalive=True)
_QUERY: Final = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=30)


@dataclass(frozen=True)
class Target:
    """A stack that was found.

    Attributes:
        name: what to call it.
        region: its AWS Region.
        outputs: CloudFormation's outputs.
        is_local: whether it runs on this machine.
        options: what a later command needs to find the same stack again.
    """

    name: str
    region: str
    outputs: Mapping[str, str]
    is_local: bool
    options: str
    _session: boto3.Session
    _endpoint_url: str | None = None

    @property
    def control_function(self) -> str:
        """Return the control function's name.

        Raises:
            Unreachable: the stack has none.
        """
        try:
            return self.outputs[_CONTROL_FUNCTION]
        except KeyError:
            raise Unreachable(
                f"The stack {self.name} has no output {_CONTROL_FUNCTION}: it is no DynamoDB Stream Encryptor, or an "
                "older one that has to be deployed again.",
                "no-control-function",
            ) from None

    def lambda_client(self) -> Any:
        """Return a boto3 Lambda client that waits for long invocations."""
        return self._client("lambda", _INVOCATION)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the stack's account and Region, for what answers at once."""
        return self._client(service, _QUERY)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """Return the template's parameters that the stack was deployed with; none where there is no stack.

        Raises:
            CliError: CloudFormation does not say.
        """
        if not self.outputs:
            return {}
        try:
            stacks = self.client("cloudformation").describe_stacks(
                **({} if self.is_local else {"StackName": self.name})
            )
        except (ClientError, BotoCoreError) as error:
            raise explained(error, f"looking for the stack {self.name}") from error
        for stack in stacks["Stacks"]:
            outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
            if outputs.get(_CONTROL_FUNCTION) == self.outputs.get(_CONTROL_FUNCTION):
                return {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
        return {}

    @cached_property
    def who(self) -> str:
        """Return who asks, for audit lines: the AWS principal where there is one. CloudTrail has the truth."""
        if not self.is_local:
            try:
                return str(self._client("sts", _QUERY).get_caller_identity()["Arn"])
            except (ClientError, BotoCoreError):
                pass  # STS may be out of reach from here: the text is a courtesy, and no reason to fail.
        try:
            return getuser()
        except (KeyError, OSError):  # A container's user need not have a name.
            return "unknown"

    def _client(self, service: str, config: Config) -> Any:
        try:
            return self._session.client(service, endpoint_url=self._endpoint_url, config=config)  # type: ignore[call-overload]
        except (BotoCoreError, ValueError) as error:  # ValueError: a Region that cannot be part of a host name.
            if isinstance(error, ValueError):
                raise UsageError(f"{error}.") from None
            raise explained(error, "preparing a request") from error


def in_aws(stack: str, region: str | None, profile: str | None) -> Target:
    """Find a stack in AWS.

    Raises:
        UsageError: the profile or the Region is missing or unknown.
        Unreachable: there is no such stack, or AWS does not say.
    """
    doing = f"looking for the stack {stack}"
    given = [("--stack", stack), ("--region", region), ("--profile", profile)]
    options = shlex.join(word for option, value in given if value is not None for word in (option, value))
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        target = Target(stack, session.region_name or "", {}, False, options, session)
        answer = target._client("cloudformation", _QUERY).describe_stacks(StackName=stack)
    except ClientError as error:
        detail = error.response.get("Error", {})
        if detail.get("Code") == "ValidationError" and "does not exist" in detail.get("Message", ""):
            raise Unreachable(
                f"There is no stack {stack} in {session.region_name}. `aws cloudformation list-stacks` names those "
                "that there are; another Region is chosen by --region.",
                "no-such-stack",
            ) from None
        raise explained(error, doing) from error
    except BotoCoreError as error:
        raise explained(error, doing) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", [])}
    return Target(stack, session.region_name, outputs, False, options, session)


def in_account(region: str | None, profile: str | None) -> Target:
    """Return an account and Region without a stack, as boto3 finds them.

    Raises:
        UsageError: the profile is unknown, or no Region is set.
    """
    given = [("--region", region), ("--profile", profile)]
    options = shlex.join(word for option, value in given if value is not None for word in (option, value))
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise explained(error, "preparing a request") from error
    if not session.region_name:
        raise UsageError("No AWS Region is set. Give one with --region, or in the profile.")
    return Target("", session.region_name, {}, False, options, session)


def on_this_machine(state_directory: Path) -> Target:
    """Find the local stack by the `stack.json` that `python -m local up` keeps.

    Raises:
        Unreachable: there is none, or it cannot be read.
    """
    path = state_directory / "stack.json"
    try:
        stack = json.loads(path.read_text(encoding="utf-8"))
        endpoint_url, region, outputs = str(stack["endpoint_url"]), str(stack["region"]), dict(stack["outputs"])
    except FileNotFoundError:
        raise Unreachable(
            "No local stack runs. Start one in another terminal: `python -m local up`.", "no-local-stack"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(f"{path} is not as `python -m local up` writes it ({type(error).__name__}).") from error
    elsewhere = [] if state_directory == default_state_directory() else ["--state-directory", str(state_directory)]
    return Target(
        "local", region, outputs, True, shlex.join(["--local", *elsewhere]), local_session(region), endpoint_url
    )


def find_table(
    table: str | None,
    stack: str | None,
    local: bool,
    region: str | None,
    profile: str | None,
    state_directory: Path | None,
) -> tuple[Target, str]:
    """Return where a table is, and its name: any table of the account or of the local stack, or a stack's own.

    Raises:
        UsageError: the options name none or two, or contradict each other.
        Unreachable: the stack cannot be found, or names no table.
    """
    if table is None and stack is None and not local:
        raise UsageError(
            "Which table? Give --table NAME for any table, --stack NAME for that of a stack in AWS, or --local for "
            "that of the one that `python -m local up` runs."
        )
    if table is not None and stack is not None:
        raise UsageError("--table and --stack exclude each other: a stack names its table.")
    if table is not None and not local:
        return in_account(region, profile), table
    target = find(stack, local, region, profile, state_directory)
    if table is not None:
        return replace(target, outputs={}), table
    try:
        return target, target.outputs["TableName"]
    except KeyError:
        raise Unreachable(
            f"The stack {target.name} has no output TableName: it is no DynamoDB Stream Encryptor.", "no-table"
        ) from None


def find(
    stack: str | None, local: bool, region: str | None, profile: str | None, state_directory: Path | None
) -> Target:
    """Return the one stack that the options name.

    Raises:
        UsageError: they name none or two, or contradict each other.
        Unreachable: it cannot be found.
    """
    if stack is None and not local:
        raise UsageError(
            "Which stack? Give --stack NAME for one in AWS, or --local for the one that `python -m local up` runs. "
            "Neither is assumed."
        )
    if stack is not None and local:
        raise UsageError("--stack and --local exclude each other.")
    if stack is not None:
        return in_aws(stack, region, profile)
    if region is not None or profile is not None:
        raise UsageError("--region and --profile are for --stack: the local stack has no use for them.")
    return on_this_machine(state_directory or default_state_directory())
