"""The whole application on this machine, as a context manager."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from local import moto_state
from local.aws_clients import ClientFactory
from local.deployment import Addresses, Deployment, deploy, prepare_update
from local.dynamodb_front import DynamoDBFront
from local.dynamodb_local import DynamoDBLocal
from local.endpoint import Call, Endpoint
from local.errors import FunctionError, LocalStackError, NotIdleError
from local.event_sources.dynamodb_local_shard import DynamoDBLocalShard
from local.event_sources.mappings import EventSources
from local.event_sources.stream_poller import Shard
from local.function_pool import FunctionPool
from local.function_process import Invocation
from local.http_front import Gateway, HttpFront
from local.issuer import Issuer
from local.metrics import MetricLines
from local.routes import JwtAuthorizer
from local.settings_check import check_settings
from local.state import ROOT, STATE_DIRECTORY
from local.table_shape import TableShape
from local.template import LocalTemplate, load_template
from local.tokens import AUDIENCE, ISSUER, LIFETIME, SIGN_IN_LIFETIME, TokenKey

STACK_NAME = "local"
FIXED = ("TableName", "TableStreamArn", "ControlTableName", "JwtIssuer", "AdminClientId")
"""Parameters that tables are made for, or this machine's issuer is started with."""

DEFAULT_PARAMETERS = {"JwtIssuer": ISSUER, "JwtAudience": AUDIENCE, "AdminClientId": AUDIENCE}


class LocalStack:
    """The template deployed to moto, with functions, event sources and API running; see `local`."""

    def __init__(
        self,
        template: Path = ROOT / "template.yaml",
        *,
        parameters: Mapping[str, str] | None = None,
        port: int = 0,
        api_port: int = 0,
        issuer_port: int = 0,
        sign_in_lifetime: float = SIGN_IN_LIFETIME,
        region: str = "us-east-1",
        state_directory: Path = STATE_DIRECTORY,
        workers: int = 2,
        dynamodb: Literal["moto", "local"] = "moto",
        table: TableShape | None = None,
    ) -> None:
        """Describe the stack; `with` starts it.

        `parameters` override the template's. A port of 0 is any free one. `state_directory` gets the token
        key and `logs/`. `workers` bounds the processes of each function, where no mapping of a queue asks for more.
        `sign_in_lifetime` is how many seconds tokens of the issuer live.
        `dynamodb` is who plays DynamoDB: moto, or DynamoDB Local (see `local.dynamodb_local`).
        `table` is a table to make first and to deploy the stack over, under the parameter TableName where that is
        given; without one, the stack makes its own.
        """
        self._template_path = template
        self._given = dict(parameters or {})
        self._ports = (port, api_port, issuer_port)
        self._sign_in_lifetime = sign_in_lifetime
        self.region = region
        self.state_directory = state_directory
        self._workers = workers
        self._dynamodb = dynamodb
        self.table = table.named((parameters or {}).get("TableName") or table.name) if table else None
        self._pools: dict[str, FunctionPool] = {}
        self._by_name: dict[str, FunctionPool] = {}
        self._resources = ExitStack()
        self._client_lock = threading.Lock()
        self._updating = threading.Lock()

    def __enter__(self) -> "LocalStack":
        """Start everything; raise `LocalStackError` when that is impossible, with nothing left running."""
        with ExitStack() as started:
            self._start(started)
            self._resources = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything; moto's state is gone."""
        self._resources.close()

    def _start(self, started: ExitStack) -> None:
        self.state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_directory = self.state_directory / "logs"
        self._log_directory.mkdir(exist_ok=True)
        started.enter_context(moto_state.exclusive_state(self.region))
        self._endpoint = Endpoint(self._ports[0], lambda name: self._by_name[name].answer)
        started.callback(self._endpoint.stop)
        front = HttpFront(self._ports[1])
        started.callback(front.stop)
        self._front = front
        self._key = TokenKey.in_directory(self.state_directory)
        self._issuer = Issuer(
            self._key,
            self._ports[2],
            name=self._given.get("JwtIssuer") or ISSUER,
            client_id=self._given.get("AdminClientId") or AUDIENCE,
            lifetime=self._sign_in_lifetime,
        )
        started.callback(self._issuer.stop)
        self._clients = ClientFactory(self.endpoint_url, self.region)
        self._deployment = self._deploy()
        open_shard = self._start_dynamodb(started)
        self._check_settings(spec.environment for spec in self._deployment.functions.values())
        # At the end: event sources are told to stop, get a moment, lose their functions, and are waited for.
        self._event_sources = EventSources(self._clients, self.region, self._by_name, open_shard)
        at_once = self._event_sources.concurrency()
        started.callback(self._event_sources.join)
        log_files = {logical_id: self._log_directory / f"{logical_id}.log" for logical_id in self._deployment.functions}
        lines = MetricLines(list(log_files.values()))
        self._endpoint.before_cloudwatch(lambda: moto_state.put_metrics(self.region, lines.take()))
        for logical_id, spec in self._deployment.functions.items():
            pool = FunctionPool(
                spec,
                endpoint_url=self.endpoint_url,
                region=self.region,
                log_file=log_files[logical_id],
                size=max(self._workers, at_once.get(spec.name, 1)),
            )
            started.callback(pool.close)
            self._pools[logical_id] = self._by_name[spec.name] = pool
        # What a stream triggers is ready for its first record. The others begin with their first event, as in Lambda.
        for name in self._event_sources.of_streams():
            self._by_name[name].warm()
        front.gateway = self._gateway()
        started.callback(self._event_sources.stop)
        self._event_sources.start()

    def _template(self, parameters: Mapping[str, str]) -> LocalTemplate:
        is_moto = self._dynamodb == "moto"
        if is_moto and parameters.get("BatchedWrites") == "true":
            # It makes a statement's change whether its conditions hold or not: writes would be lost, and nobody told.
            raise LocalStackError("moto has no conditional PartiQL: BatchedWrites=true needs --dynamodb local")
        return load_template(
            self._template_path,
            parameters=parameters,
            defaults={
                **DEFAULT_PARAMETERS,
                "BatchedWrites": "false" if is_moto else "true",
                "SignInOrigins": self._issuer.url,
                "OidcMetadataUrl": self._issuer.metadata_url,
                **(self.table.parameters if self.table else {}),
            },
            region=self.region,
            supported_types=moto_state.supported_types(),
        )

    @property
    def _addresses(self) -> Addresses:
        return Addresses(self.endpoint_url, self.api_url, self.region)

    def _deploy(self) -> Deployment:
        self._given |= self._made_table()
        template = self._template(self._given)
        self._parameters = template.parameters
        return deploy(template, stack_name=STACK_NAME, clients=self._clients, addresses=self._addresses)

    def _check_settings(self, environments: Iterable[Mapping[str, str]]) -> None:
        check_settings(environments, self.client("dynamodb"), self.client("kms"))

    def _made_table(self) -> dict[str, str]:
        """Make the table that the stack is deployed over; return the parameters that point the stack at it."""
        if self.table is None:
            if self._given.get("TableName"):
                raise LocalStackError("there is no table here yet: --key or --table-like makes one of that TableName")
            return {}
        if "TableStreamArn" in self._given:
            raise LocalStackError("the table is made with a stream of its own: leave TableStreamArn out")
        return {"TableName": self.table.name, "TableStreamArn": self.table.create(self._clients.client("dynamodb"))}

    def _start_dynamodb(self, started: ExitStack) -> Callable[[str], Shard]:
        """Have DynamoDB Local take over, where it is to; return what reads a stream."""
        if self._dynamodb == "moto":
            return lambda stream_arn: moto_state.Shard(self.region, stream_arn)
        running = started.enter_context(DynamoDBLocal(self._log_directory / "DynamoDBLocal.log"))
        dynamodb = self._clients.client("dynamodb")
        tables = [
            dynamodb.describe_table(TableName=name)["Table"]
            for page in dynamodb.get_paginator("list_tables").paginate()
            for name in page["TableNames"]
        ]
        front = DynamoDBFront(running.url, self.region, moto_state.ACCOUNT_ID)
        self._endpoint.lead_dynamodb_to(front)
        try:
            front.adopt(tables, dynamodb.create_table)
        except (BotoCoreError, ClientError) as error:
            raise LocalStackError(f"DynamoDB Local does not take the tables: {error}") from error
        streams = self._clients.client("dynamodbstreams")
        return lambda stream_arn: DynamoDBLocalShard(streams, stream_arn)

    @property
    def endpoint_url(self) -> str:
        """Return the URL for AWS clients."""
        return self._endpoint.url

    @property
    def api_url(self) -> str:
        """Return the base URL of the HTTP API, with its stage where that is not `$default`."""
        return self._front.url

    @property
    def issuer_url(self) -> str:
        """Return the base URL of the issuer that pages sign in at."""
        return self._issuer.url

    @property
    def sign_in(self) -> dict[str, str]:
        """Return what a page needs to know in order to sign in at the issuer."""
        issuer = self._issuer
        names = {"issuer": issuer.name, "clientId": issuer.client_id, "scope": "openid"}
        return {**names, "metadataUrl": issuer.metadata_url}

    @property
    def outputs(self) -> dict[str, str]:
        """Return the template's outputs."""
        return dict(self._deployment.outputs)

    @property
    def environments(self) -> dict[str, dict[str, str]]:
        """Return each function's variables by its logical id, as the template sets them."""
        return {logical_id: dict(pool.spec.environment) for logical_id, pool in self._pools.items()}

    @property
    def log_files(self) -> dict[str, Path]:
        """Return each function's log file by its logical id."""
        return {logical_id: pool.log_file for logical_id, pool in self._pools.items()}

    def client(self, service: str) -> Any:
        """Return a boto3 client of the endpoint."""
        with self._client_lock:
            return self._clients.client(service)

    def resource(self, service: str) -> Any:
        """Return a boto3 resource of the endpoint."""
        with self._client_lock:
            return self._clients.resource(service)

    def observe(self, observer: Callable[[Call], None]) -> None:
        """Have `observer` told of every request to the endpoint from here on, by several threads."""
        self._endpoint.observe(observer)

    def invoke(self, logical_id: str, event: Any) -> Any:
        """Invoke a function and return its answer; raise `FunctionError` if it raised, timed out or died."""
        try:
            pool = self._pools[logical_id]
        except KeyError:
            raise LocalStackError(f"the template has no function {logical_id}") from None
        invocation = pool.invoke(event)
        if invocation.failed:
            raise FunctionError(logical_id, invocation.payload)
        return invocation.payload

    def crash(self, logical_id: str) -> None:
        """Kill a function's processes, in mid-invocation too, as a crash of its machine would."""
        self._pools[logical_id].crash()

    def set_environment(self, **variables: str) -> None:
        """Change variables of all functions, as an update of the stack with other parameters would."""
        for pool in self._pools.values():
            pool.set_environment(variables)

    def update(self, parameters: Mapping[str, str]) -> None:
        """Update the stack with these parameters and the others as they are, as a deployment would.

        Functions get new variables: idle processes end, busy ones finish first. Raise `LocalStackError`, with nothing
        changed, where a value is not right, the functions would refuse it, or what it changes cannot be changed while
        the stack runs.
        """
        with self._updating:
            given = self._given | dict(parameters)
            fixed = [name for name in FIXED if name in parameters and parameters[name] != self._parameters.get(name)]
            if fixed:
                raise LocalStackError(f"{fixed[0]} cannot be changed while the stack runs; give it to `up` instead")
            template = self._template(given)
            update = prepare_update(template, stack_name=STACK_NAME, addresses=self._addresses)
            self._check_settings(update.environments.values())
            self._deployment, self._given = update.make(self._clients, self._addresses), given
            self._parameters = template.parameters
            for logical_id in update.changes.functions:
                self._pools[logical_id].replace(self._deployment.functions[logical_id])
            self._front.gateway = self._gateway()

    def on_update(self, requested: Callable[[Mapping[str, str]], None]) -> None:
        """Have `requested` called with the parameters that `python -m local update` asks for."""
        self._endpoint.on_update(requested)

    def _gateway(self) -> Gateway:
        return Gateway(self._deployment.api, self._key, self._invoke_by_name)

    def token(self, user: str, *, admin: bool = False, lifetime: float = LIFETIME) -> str:
        """Return a bearer token that the API accepts."""
        authorizer = next(
            (route.authorizer for route in self._deployment.api.routes if route.authorizer),
            JwtAuthorizer(ISSUER, (AUDIENCE,)),
        )
        return self._key.issue(
            user, admin=admin, issuer=authorizer.issuer, audience=authorizer.audience[0], lifetime=lifetime
        )

    def wait_until_idle(self, timeout: float = 30.0) -> None:
        """Wait until streams are read to their end, queues with a consumer are empty and no function runs.

        Messages that wait for their visibility timeout count as work. Disabled mappings are left out. Raise
        `NotIdleError` after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        rested = 0
        while rested < 2:  # one look is not atomic: work may pass to a place that was seen already
            at_rest = self._event_sources.idle() and not any(pool.busy for pool in self._pools.values())
            rested = rested + 1 if at_rest else 0
            if not at_rest and time.monotonic() > deadline:
                raise NotIdleError(
                    f"work is still under way after {timeout:g} s; the logs are in {self._log_directory}"
                )
            time.sleep(0.02 if at_rest else 0.1)

    def _invoke_by_name(self, name: str, event: Any) -> Invocation:
        return self._by_name[name].answer(event)
