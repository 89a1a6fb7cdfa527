from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders.http.routes import ROUTES
from proof import oracle

if TYPE_CHECKING:
    from infrastructure.templates import Template

DEFAULT = "$default"


def routes(template: Template) -> dict[str, dict[str, Any]]:
    """The API's routes by their keys."""
    properties = template.properties("AWS::ApiGatewayV2::Route").values()
    found = {route["RouteKey"]: route for route in properties}
    assert len(found) == len(properties)
    return found


def public(template: Template) -> set[str]:
    """The keys of the routes that ask for no token."""
    return {
        key
        for key, route in routes(template).items()
        if route.get("AuthorizationType", "NONE") == "NONE"
    }


def integration_of(template: Template, route: dict[str, Any]) -> dict[str, Any]:
    (kind, reference) = route["Target"]["Fn::Join"][1]
    assert kind == "integrations"
    return template.named(reference["Ref"])


def test_every_route_is_served_by_its_function_and_the_rest_by_not_found(
    production: Template,
) -> None:
    deployed = {
        key: production.target(integration_of(production, route)["IntegrationUri"])
        for key, route in routes(production).items()
    }
    known = {key: route.function for route in ROUTES for key in route.keys}
    assert deployed == known | {DEFAULT: "not-found"}


def test_every_route_but_the_public_ones_asks_for_a_token(production: Template) -> None:
    everyone = {
        key for key, route in oracle.ROUTES.items() if route.audience is oracle.Audience.EVERYONE
    }
    assert public(production) == {
        *(key for route in ROUTES if route.key in everyone for key in route.keys),
        DEFAULT,
    }
    for key in routes(production).keys() - public(production):
        route = routes(production)[key]
        assert route["AuthorizationType"] == "JWT"
        assert route["AuthorizerId"] == {"Ref": "HttpApiAuthorizerJwt"}


def test_the_authorizer_takes_the_tokens_of_the_issuer(production: Template) -> None:
    (authorizer,) = production.properties("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert authorizer["JwtConfiguration"] == {
        "Issuer": "https://issuer.example.com/",
        "Audience": ["orders"],
    }


def test_parameters_go_before_the_environment(customized: Template) -> None:
    assert customized.named("HttpApiAuthorizerJwt")["JwtConfiguration"] == {
        "Issuer": "https://login.example.com/tenant",
        "Audience": ["web", "app"],
    }


def test_the_local_stage_takes_the_tokens_of_its_own_user_pool(local: Template) -> None:
    assert local.named("HttpApiAuthorizerJwt")["JwtConfiguration"] == {
        "Issuer": {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${LocalUsers}"},
        "Audience": [{"Ref": "LocalUsersClient"}],
    }


def test_no_other_stage_has_users_of_its_own(
    production: Template, development: Template, customized: Template
) -> None:
    for template in (production, development, customized):
        assert not [
            one for one in template.resources.values() if one["Type"].startswith("AWS::Cognito::")
        ]


def test_functions_get_payload_2_0(production: Template) -> None:
    integrations = production.properties("AWS::ApiGatewayV2::Integration").values()
    assert {(one["IntegrationType"], one["PayloadFormatVersion"]) for one in integrations} == {
        ("AWS_PROXY", "2.0")
    }


def test_only_the_api_may_invoke_them(production: Template) -> None:
    permissions = production.properties("AWS::Lambda::Permission").values()
    invoked = {}
    for permission in permissions:
        if permission["Principal"] == "apigateway.amazonaws.com":
            assert {"Ref": "HttpApi"} in permission["SourceArn"]["Fn::Join"][1]
            invoked[production.target(permission["FunctionName"])] = permission["Action"]
    functions = {route.function for route in ROUTES} | {"not-found"}
    assert invoked == dict.fromkeys(functions, "lambda:InvokeFunction")


def test_it_is_throttled(production: Template) -> None:
    settings = production.named("HttpApiStage")["DefaultRouteSettings"]
    assert settings == {"ThrottlingRateLimit": 200, "ThrottlingBurstLimit": 400}


def test_each_public_route_has_a_throttle_of_its_own_once_it_exists(production: Template) -> None:
    stage = production.resources["HttpApiStage"]
    throttle = {"ThrottlingRateLimit": 10, "ThrottlingBurstLimit": 20}
    assert stage["Properties"]["RouteSettings"] == dict.fromkeys(public(production), throttle)
    assert public(production) <= {
        production.named(one).get("RouteKey") for one in stage["DependsOn"]
    }


def test_its_access_log_tells_request_route_status_and_time(production: Template) -> None:
    settings = production.named("HttpApiStage")["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": ["HttpApiLogGroup", "Arn"]}
    assert json.loads(settings["Format"]) == {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "route": "$context.routeKey",
        "status": "$context.status",
        "latencyMs": "$context.responseLatency",
        "integrationError": "$context.integrationErrorMessage",
        "authorizerError": "$context.authorizer.error",
        "sourceIp": "$context.identity.sourceIp",
    }
    assert production.named("HttpApiLogGroup")["RetentionInDays"] == 90


def test_cors_is_off(production: Template) -> None:
    assert "CorsConfiguration" not in production.named("HttpApi")


def test_cors_opens_the_api_to_the_named_origins_and_to_no_other(customized: Template) -> None:
    cors = customized.named("HttpApi")["CorsConfiguration"]
    assert cors.pop("MaxAge") == 3600
    assert {name: sorted(values) for name, values in cors.items()} == {
        "AllowOrigins": ["https://admin.example.com", "https://shop.example.com"],
        "AllowMethods": ["GET", "HEAD", "PATCH", "POST"],
        "AllowHeaders": [
            "Authorization",
            "Content-Type",
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
        ],
        "ExposeHeaders": [
            "ETag",
            "Idempotent-Replayed",
            "Link",
            "Location",
            "Retry-After",
            "X-Request-Id",
        ],
    }
