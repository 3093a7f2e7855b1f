"""The HTTP API as the template describes it, and which route a request takes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{([A-Za-z0-9_.-]+)(\+?)\}")


@dataclass(frozen=True)
class JwtAuthorizer:
    """What a token must say to be let in."""

    issuer: str
    audience: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """A route key, the function behind it, and who may use it; `authorization` is NONE, JWT or AWS_IAM."""

    key: str
    function: str
    authorization: str = "NONE"
    authorizer: JwtAuthorizer | None = None


@dataclass(frozen=True)
class Cors:
    """The API's CorsConfiguration."""

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None


@dataclass(frozen=True)
class Api:
    """An HTTP API: its id (None where the template has none), stage, routes and CORS settings."""

    id: str | None = None
    stage: str = "$default"
    routes: tuple[Route, ...] = ()
    cors: Cors | None = None

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the most specific route for a still percent-encoded path, with its path parameters decoded
        once.

        Static segments come before parameters, those before a greedy `{name+}`, a method before ANY, and
        `$default` last ("Routing API requests" in the API Gateway Developer Guide).
        """
        found: list[tuple[tuple[int, ...], int, Route, dict[str, str]]] = []
        for route in self.routes:
            if route.key == "$default":
                found.append(((9,), 1, route, {}))
                continue
            route_method, _, template = route.key.partition(" ")
            parameters = _match_path(template, path)
            if parameters is not None and route_method in (method, "ANY"):
                found.append((_specificity(template), int(route_method == "ANY"), route, parameters))
        if not found:
            return None
        _, _, route, parameters = min(found, key=lambda match: match[:2])
        return route, parameters


@dataclass
class _Parts:
    apis: dict[str, dict[str, Any]] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    routes: dict[str, dict[str, Any]] = field(default_factory=dict)
    integrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    authorizers: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_api(resources: Mapping[str, Mapping[str, Any]]) -> Api:
    """Build the API from the template's resolved `AWS::ApiGatewayV2::*` resources, by logical id; the rest is
    ignored.

    A reference between them has become the logical id; a function is named by its ARN.
    """
    parts = _Parts()
    kinds = {
        "AWS::ApiGatewayV2::Api": parts.apis,
        "AWS::ApiGatewayV2::Stage": parts.stages,
        "AWS::ApiGatewayV2::Route": parts.routes,
        "AWS::ApiGatewayV2::Integration": parts.integrations,
        "AWS::ApiGatewayV2::Authorizer": parts.authorizers,
    }
    for name, resource in resources.items():
        if resource["Type"] in kinds:
            kinds[resource["Type"]][name] = resource["Properties"]
    if not parts.apis:
        return Api()
    api_id, api = next(iter(parts.apis.items()))
    return Api(
        id=api_id,
        stage=next((str(stage["StageName"]) for stage in parts.stages.values()), "$default"),
        routes=tuple(_route(route, parts) for route in parts.routes.values()),
        cors=_cors(api.get("CorsConfiguration")),
    )


def _route(route: Mapping[str, Any], parts: _Parts) -> Route:
    integration = parts.integrations[route["Target"].removeprefix("integrations/")]
    # The ARN stands alone, or within .../functions/ARN/invocations.
    arn = re.search(r"arn:[^:]+:lambda:[^:]+:\d+:function:[^/:]+", integration["IntegrationUri"])
    if arn is None:
        raise ValueError(f"the integration of {route['RouteKey']} is not a Lambda function")
    authorizer = parts.authorizers.get(route.get("AuthorizerId", ""))
    return Route(
        key=route["RouteKey"],
        function=arn[0].rpartition(":")[2],
        authorization=route.get("AuthorizationType", "NONE"),
        authorizer=JwtAuthorizer(
            issuer=authorizer["JwtConfiguration"]["Issuer"],
            audience=tuple(authorizer["JwtConfiguration"]["Audience"]),
        )
        if authorizer
        else None,
    )


def _cors(configuration: Mapping[str, Any] | None) -> Cors | None:
    origins = tuple(origin for origin in (configuration or {}).get("AllowOrigins", []) if origin)
    if not configuration or not origins:
        return None
    max_age = configuration.get("MaxAge")
    return Cors(
        origins=origins,
        methods=tuple(configuration.get("AllowMethods", ())),
        headers=tuple(configuration.get("AllowHeaders", ())),
        exposed=tuple(configuration.get("ExposeHeaders", ())),
        credentials=bool(configuration.get("AllowCredentials", False)),
        max_age=None if max_age is None else int(max_age),
    )


def _match_path(template: str, path: str) -> dict[str, str] | None:
    wanted, given = template.split("/"), path.split("/")
    parameters: dict[str, str] = {}
    for index, segment in enumerate(wanted):
        parameter = _PARAMETER.fullmatch(segment)
        if index >= len(given):
            return None
        if parameter is None:
            if segment != unquote(given[index]):
                return None
        elif parameter[2]:
            parameters[parameter[1]] = unquote("/".join(given[index:]))
            return parameters if parameters[parameter[1]] else None
        elif not given[index]:
            return None
        else:
            parameters[parameter[1]] = unquote(given[index])
    return parameters if len(wanted) == len(given) else None


def _specificity(template: str) -> tuple[int, ...]:
    ranks = []
    for segment in template.split("/"):
        parameter = _PARAMETER.fullmatch(segment)
        ranks.append(0 if parameter is None else 2 if parameter[2] else 1)
    return tuple(ranks)
