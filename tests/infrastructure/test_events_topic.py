"""What the parameter eventsTopic adds, and that nothing else differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from infrastructure.templates import compiled

if TYPE_CHECKING:
    from infrastructure.templates import Template

TOPIC: Final = {"Ref": "OrderEventsTopic"}
PUBLISHER: Final = "publish-order-events"


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_it_is_a_topic_its_alarm_and_the_publishers_right_and_nothing_else(
    production: Template, with_topic: Template
) -> None:
    role = with_topic.functions[PUBLISHER]["Role"]["Fn::GetAtt"][0]
    of_operators = with_topic.properties("AWS::IAM::ManagedPolicy").keys()
    assert changed(production.resources, with_topic.resources) - of_operators == {
        "OrderEventsTopic",
        "OrderEventsNotDeliveredAlarm",
        "PublishDashorderDasheventsLambdaFunction",
        role,
    }
    *before, last = with_topic.statements(PUBLISHER)
    assert before == production.statements(PUBLISHER)
    assert last == {"Effect": "Allow", "Action": ["sns:Publish"], "Resource": TOPIC}
    variables = {"TOPIC_ARN": TOPIC}
    assert with_topic.variables(PUBLISHER) == production.variables(PUBLISHER) | variables
    outputs = production.document["Outputs"], with_topic.document["Outputs"]
    assert changed(*outputs) == {"OrderEventsTopicArn"}
    assert outputs[1]["OrderEventsTopicArn"] == {"Value": TOPIC}


def test_it_is_encrypted(with_topic: Template) -> None:
    assert with_topic.named("OrderEventsTopic")["KmsMasterKeyId"] == "alias/aws/sns"


def test_only_production_and_the_local_stage_have_the_plain_name(
    with_topic: Template, customized: Template
) -> None:
    local = compiled("local", "--param=eventsTopic=true")
    names = [one.named("OrderEventsTopic")["TopicName"] for one in (with_topic, local, customized)]
    assert names == ["order-events", "order-events", "order-events-sixteen-letters0"]


def test_only_the_local_stage_grants_an_action_that_aws_does_not_know() -> None:
    local = compiled("local", "--param=eventsTopic=true")
    (statement,) = [one for one in local.statements(PUBLISHER) if one["Resource"] == TOPIC]
    assert statement["Action"] == ["sns:Publish", "sns:PublishBatch"]
