"""What a stage without the staff desk lacks, and that nothing else differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infrastructure.test_events_topic import changed

if TYPE_CHECKING:
    from infrastructure.templates import Template

TOLD: Final = {"not-found": "NotDashfoundLambdaFunction", "api-docs": "ApiDashdocsLambdaFunction"}
"""The functions that say which routes there are."""


def test_it_lacks_a_function_its_routes_and_what_watches_them_and_nothing_else(
    production: Template, without_desk: Template
) -> None:
    assert production.resources.keys() - without_desk.resources.keys() == {
        *("DeskLambdaFunction", "DeskIamRoleLambdaExecution", "DeskLogGroup"),
        *("DeskErrorsAlarm", "DeskThrottlesAlarm"),
        *("HttpApiRouteGetDesk", "HttpApiRouteHeadDesk"),
        *("HttpApiIntegrationDesk", "DeskLambdaPermissionHttpApi"),
    }
    of_operators = production.properties("AWS::IAM::ManagedPolicy").keys()
    assert changed(without_desk.resources, production.resources) - of_operators >= {
        *TOLD.values(),
        *("HttpApiStage", "ThrottledFilter", "Dashboard"),
    }
    assert without_desk.resources.keys() <= production.resources.keys()
    # What differs besides names the desk, and is as it was without that.
    for name in without_desk.resources.keys() - TOLD.values():
        here, there = (str(one.resources[name]) for one in (without_desk, production))
        assert "desk" not in here.lower(), name
        assert here == there or "desk" in there.lower(), name
    assert changed(production.document["Outputs"], without_desk.document["Outputs"]) == set()


def test_two_functions_are_told_that_it_is_not_there(
    production: Template, without_desk: Template
) -> None:
    for function in TOLD:
        told = production.variables(function) | {"DESK": "false"}
        assert without_desk.variables(function) == told


def test_a_desk_calls_nothing(production: Template) -> None:
    actions = [one["Action"] for one in production.statements("desk")]
    assert actions == [one["Action"] for one in production.statements("health")]


def test_the_public_pages_have_the_same_throttle(production: Template) -> None:
    settings = production.named("HttpApiStage")["RouteSettings"]
    assert settings["GET /desk"] == settings["HEAD /desk"] == settings["GET /docs"]
