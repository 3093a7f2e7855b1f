"""Deploys the template to the endpoint and reads back what came of it."""

import json
from collections.abc import Callable, Mapping
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
from local.update import Changes, changes


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
    _create_stack(template, stack_name, clients.client("cloudformation"))
    moto_state.spell_out_key_policies(addresses.region)
    return _deployment(template, moto_state.deployed(addresses.region, stack_name), stack_name, clients, addresses)


@dataclass(frozen=True)
class Update:
    """An update of a stack that was found possible; nothing is changed yet.

    Attributes:
        environments: the variables of each function afterwards, by its logical id.
        changes: what is to be done.
    """

    environments: dict[str, dict[str, str]]
    changes: Changes
    _template: LocalTemplate
    _stack_name: str
    _prospect: moto_state.Prospect

    def make(self, clients: ClientFactory, addresses: Addresses) -> Deployment:
        """Make the update, and return the stack as it is then. Processes of functions are the caller's concern."""
        names = _physical_ids(clients.client("cloudformation"), self._stack_name)
        after = self._prospect.resources()
        for alias in self.changes.aliases:
            clients.client("kms").delete_alias(AliasName=names[alias])
        for function in self.changes.functions:
            properties = after[function].properties
            clients.client("lambda").update_function_configuration(
                FunctionName=names[function],
                Environment={"Variables": _variables(properties)},
                Timeout=int(properties["Timeout"]),
                MemorySize=int(properties["MemorySize"]),
            )
        self._prospect.adopt()
        return _deployment(self._template, self._prospect, self._stack_name, clients, addresses)


def prepare_update(template: LocalTemplate, *, stack_name: str, addresses: Addresses) -> Update:
    """Return the update to a template that was loaded with other parameters.

    Raise `LocalStackError` for what cannot be changed while the stack runs.
    """
    before = moto_state.deployed(addresses.region, stack_name).resources()
    prospect = moto_state.Prospect(addresses.region, stack_name, template.document, template.parameters)
    after = prospect.resources()
    environments = {name: _variables(after[name].properties) for name in template.code if name in after}
    return Update(environments, changes(before, after), template, stack_name, prospect)


def _deployment(
    template: LocalTemplate,
    state: moto_state.StackState,
    stack_name: str,
    clients: ClientFactory,
    addresses: Addresses,
) -> Deployment:
    left_out = {
        name: resource | {"Properties": state.resolve(resource.get("Properties", {}))}
        for name, resource in template.left_out.items()
        if state.condition_holds(resource.get("Condition"))
    }
    api = read_api(left_out)
    physical_ids = _physical_ids(clients.client("cloudformation"), stack_name)
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
    outputs = {name: addresses.localize(value, api.id) for name, value in state.outputs().items()}
    return Deployment(functions, api, outputs)


def _physical_ids(cloudformation: Any, stack_name: str) -> dict[str, str]:
    resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in resources
        for resource in page["StackResourceSummaries"]
    }


def _variables(properties: Mapping[str, Any]) -> dict[str, str]:
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    return {name: str(value) for name, value in variables.items()}


def _create_stack(template: LocalTemplate, stack_name: str, cloudformation: Any) -> None:
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


def _function(
    configuration: dict[str, Any], python_path: tuple[Path, ...], localize: Callable[[str], str]
) -> FunctionSpec:
    variables = _variables(configuration)
    return FunctionSpec(
        name=configuration["FunctionName"],
        arn=configuration["FunctionArn"].removesuffix(":$LATEST"),
        handler=configuration["Handler"],
        timeout=float(configuration["Timeout"]),
        memory=int(configuration["MemorySize"]),
        environment={name: localize(value) for name, value in variables.items()},
        python_path=python_path,
    )
