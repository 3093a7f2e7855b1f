"""Deploys the template to the endpoint and reads back what came of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from local import moto_state
from local.aws_clients import ClientFactory
from local.errors import TemplateError
from local.function_process import FunctionSpec
from local.routes import Api, read_api
from local.template import LocalTemplate, placeholder


@dataclass(frozen=True)
class Deployment:
    """A deployed stack: functions by logical id, the HTTP API, and the resolved outputs."""

    functions: dict[str, FunctionSpec]
    api: Api
    outputs: dict[str, str]


@dataclass(frozen=True)
class Addresses:
    """Where AWS's addresses are found on this machine."""

    endpoint_url: str
    api_url: str
    region: str

    def localize(self, value: str, api_id: str | None) -> str:
        """Return a value with the addresses of queues and of the HTTP API replaced by local ones."""
        value = value.replace(f"https://sqs.{self.region}.amazonaws.com/", f"{self.endpoint_url}/")
        if api_id is not None:
            value = value.replace(
                f"https://{placeholder(api_id)}.execute-api.{self.region}.amazonaws.com", self.api_url
            )
            value = value.replace(placeholder(api_id, "ApiEndpoint"), self.api_url)
        return value


def deploy(template: LocalTemplate, *, stack_name: str, clients: ClientFactory, addresses: Addresses) -> Deployment:
    """Create the stack in moto; raise `TemplateError` with moto's reason when it cannot be created."""
    cloudformation = clients.client("cloudformation")
    stack = _create_stack(template, stack_name, cloudformation)
    moto_state.spell_out_key_policies(addresses.region)
    left_out = {
        name: resource
        | {"Properties": moto_state.resolve(addresses.region, stack_name, resource.get("Properties", {}))}
        for name, resource in template.left_out.items()
        if moto_state.condition_holds(addresses.region, stack_name, resource.get("Condition"))
    }
    api = read_api(left_out)
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    physical_ids = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in resources
        for resource in page["StackResourceSummaries"]
    }
    lambda_client = clients.client("lambda")
    functions = {
        name: _function(
            lambda_client.get_function_configuration(FunctionName=physical_ids[name]),
            python_path,
            lambda value: addresses.localize(value, api.id),
        )
        for name, python_path in template.code.items()
        if name in physical_ids
    }
    outputs = {
        output["OutputKey"]: addresses.localize(output["OutputValue"], api.id) for output in stack.get("Outputs", [])
    }
    return Deployment(functions, api, outputs)


def _create_stack(template: LocalTemplate, stack_name: str, cloudformation: Any) -> dict[str, Any]:
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in template.parameters.items()]
    try:
        cloudformation.create_stack(
            StackName=stack_name,
            TemplateBody=json.dumps(template.document),
            Parameters=parameters,
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except (ClientError, BotoCoreError, ResponseParserError) as error:  # The last: moto answers what is no answer.
        raise TemplateError(f"the template does not deploy: {error}") from error
    if stack["StackStatus"] != "CREATE_COMPLETE":
        reason = stack.get("StackStatusReason", "moto gives no reason")
        raise TemplateError(f"the template does not deploy: {stack['StackStatus']}, {reason}")
    return stack


def _function(
    configuration: dict[str, Any], python_path: tuple[Path, ...], localize: Callable[[str], str]
) -> FunctionSpec:
    variables = configuration.get("Environment", {}).get("Variables", {})
    return FunctionSpec(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"].removesuffix(":$LATEST"),
        handler=configuration["Handler"],
        timeout=float(configuration["Timeout"]),
        memory=int(configuration["MemorySize"]),
        environment={name: localize(str(value)) for name, value in variables.items()},
        python_path=python_path,
    )
