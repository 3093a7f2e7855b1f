import pytest

from local.routes import Api, Route, read_api

API = Api(
    routes=tuple(
        Route(key, "function")
        for key in (
            "GET /session",
            "GET /session/{sessionId}",
            "ANY /session/{sessionId}",
            "GET /session/settings",
            "GET /files/{path+}",
            "GET /files/{name}",
        )
    )
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/session", "GET /session", {}),
        ("GET", "/session/a", "GET /session/{sessionId}", {"sessionId": "a"}),
        ("GET", "/session/settings", "GET /session/settings", {}),
        ("DELETE", "/session/a", "ANY /session/{sessionId}", {"sessionId": "a"}),
        ("GET", "/session/a%20b", "GET /session/{sessionId}", {"sessionId": "a b"}),
        ("GET", "/session/a%2Fb", "GET /session/{sessionId}", {"sessionId": "a/b"}),
        ("GET", "/session/a%252Fb", "GET /session/{sessionId}", {"sessionId": "a%2Fb"}),
        ("GET", "/files/x", "GET /files/{name}", {"name": "x"}),
        ("GET", "/files/x/y", "GET /files/{path+}", {"path": "x/y"}),
    ],
)
def test_the_most_specific_route_matches(method, path, key, parameters):
    route, found = API.match(method, path)
    assert (route.key, found) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/session"), ("GET", "/"), ("GET", "/session/"), ("GET", "/session/a/b"), ("GET", "/files/")],
)
def test_what_no_route_covers_does_not_match(method, path):
    assert API.match(method, path) is None


def test_the_default_route_takes_the_rest():
    api = Api(routes=(Route("$default", "any"), Route("GET /a", "a")))
    assert api.match("GET", "/a")[0].function == "a"
    assert api.match("POST", "/b")[0].function == "any"


def test_an_api_is_read_from_resolved_resources():
    arn = "arn:aws:lambda:us-east-1:123456789012:function:reader"
    api = read_api(
        {
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"CorsConfiguration": {"AllowOrigins": ["https://a.example"], "MaxAge": "60"}},
            },
            "Jwt": {
                "Type": "AWS::ApiGatewayV2::Authorizer",
                "Properties": {"JwtConfiguration": {"Issuer": "https://i", "Audience": ["x", "y"]}},
            },
            "Integration": {
                "Type": "AWS::ApiGatewayV2::Integration",
                "Properties": {
                    "IntegrationUri": f"arn:aws:apigateway:r:lambda:path/2015-03-31/functions/{arn}/invocations"
                },
            },
            "Route": {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "RouteKey": "GET /a",
                    "Target": "integrations/Integration",
                    "AuthorizationType": "JWT",
                    "AuthorizerId": "Jwt",
                },
            },
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        }
    )
    (route,) = api.routes
    assert (route.function, route.authorization) == ("reader", "JWT")
    assert (route.authorizer.issuer, route.authorizer.audience) == ("https://i", ("x", "y"))
    assert (api.id, api.stage, api.cors.origins, api.cors.max_age) == (
        "Api",
        "$default",
        ("https://a.example",),
        60,
    )


@pytest.mark.parametrize("cors", [None, {"AllowOrigins": [""]}, {"AllowMethods": ["GET"]}])
def test_without_an_origin_there_is_no_cors(cors):
    properties = {} if cors is None else {"CorsConfiguration": cors}
    assert read_api({"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": properties}}).cors is None
