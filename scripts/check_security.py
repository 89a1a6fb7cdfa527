"""Checks templates by the rules of checkov, and their policies by parliament's.

Each finding is to be mended, or argued in infra/accepted-findings.toml. An argument that nothing
needs any more fails too. Neither tool asks the network. Parliament knows the resources and the
conditions that an action takes, as of April 2025; cfn-lint knows newer actions, and the form of
policies about who may assume a role, which parliament doesn't read.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import warnings
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

with warnings.catch_warnings(action="ignore"):  # it uses what setuptools is about to drop
    from parliament import analyze_policy_string, enhance_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
ACCEPTED: Final = ROOT / "infra" / "accepted-findings.toml"
CHECKOV: Final = Path(sys.executable).parent / "checkov"

ACCOUNT: Final = "123456789012"
REGION: Final = "ap-southeast-1"
PSEUDO_PARAMETERS: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
}
ARNS: Final = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/%s",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/%s",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/%s",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:%s",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:%s:*",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:%s",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:%s",
}
"""Of each type whose ARN a policy refers to."""
REFERRED_TO_BY_ARN: Final = {"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"}
"""What `Ref` gives the ARN of."""


LEFT_TO_CFN_LINT: Final = {"UNKNOWN_ACTION", "UNKNOWN_PREFIX"}


class Finding(NamedTuple):
    """What a rule says against a resource, such as `AWS::SNS::Topic.PageTopic`."""

    rule: str
    resource: str
    what: str


def main(paths: Sequence[str]) -> None:
    """Check the templates; print what is neither mended nor argued, and end with 1."""
    found = {*by_checkov(paths), *(finding for path in paths for finding in by_parliament(path))}
    arguments = {
        (rule, resource)
        for rule, argument in tomllib.loads(ACCEPTED.read_text()).items()
        for resource in argument["on"]
        if argument.get("because")
    }
    needed = {one for one in arguments if any(is_argued(finding, *one) for finding in found)}
    left = [one for one in sorted(found) if not any(is_argued(one, *other) for other in needed)]
    for finding in left:
        sys.stdout.write(f"{finding.resource}: {finding.rule}: {finding.what}\n")
    for rule, resource in sorted(arguments - needed):
        sys.stdout.write(f"{ACCEPTED.name}: {rule} on {resource}: nothing needs this any more\n")
    if left or arguments != needed:
        raise SystemExit(f"Mend these, or argue them in {ACCEPTED.relative_to(ROOT)}.")
    sys.stdout.write(f"{len(found)} findings in {len(paths)} templates, all argued.\n")


def is_argued(finding: Finding, rule: str, resource: str) -> bool:
    """Tell whether the argument is for it; `*` stands for anything."""
    return fnmatchcase(finding.rule, rule) and fnmatchcase(finding.resource, resource)


def by_checkov(paths: Sequence[str]) -> Iterator[Finding]:
    """Yield what checkov says against whole templates."""
    files = [option for path in paths for option in ("--file", path)]
    result = subprocess.run(
        [sys.executable, str(CHECKOV), *files, "--framework", "cloudformation",
         "--skip-download", "--compact", "--quiet", "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    report = json.loads(result.stdout)
    if report["summary"]["parsing_errors"] or not report["summary"]["resource_count"]:
        raise SystemExit(f"checkov can't read the templates: {result.stderr}")
    for failed in report["results"]["failed_checks"]:
        yield Finding(failed["check_id"], failed["resource"], failed["check_name"])


def by_parliament(path: str) -> Iterator[Finding]:
    """Yield what parliament says against each action of each policy of a template."""
    text = Path(path).read_text()
    is_json = path.endswith(".json")
    template = Template(json.loads(text) if is_json else yaml.load(text, Loader))  # noqa: S506 - a SafeLoader
    for logical_id, resource in template.resources.items():
        for policy in map(template.resolved, policies(resource["Properties"])):
            for statement in policy["Statement"]:
                for action in listed(statement["Action"]):
                    alone = policy | {"Statement": [statement | {"Action": action}]}
                    analyzed = analyze_policy_string(json.dumps(alone))
                    for one in map(enhance_finding, analyzed.findings):
                        if one.issue not in LEFT_TO_CFN_LINT:
                            name = f"{resource['Type']}.{logical_id}"
                            yield Finding(f"{one.issue} {action}", name, one.title)


def listed(value: str | list[str]) -> list[str]:
    """Return the list that one value stands for."""
    return value if isinstance(value, list) else [value]


def policies(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield the documents that say what may be done."""
    if isinstance(value, list):
        for inner in value:
            yield from policies(inner)
    elif isinstance(value, dict):
        if "Statement" in value:
            yield value
        for name, inner in value.items():
            if name != "AssumeRolePolicyDocument":
                yield from policies(inner)


class Template:
    """A template whose references can be resolved to what they would be on AWS."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take the template as read."""
        self.resources: dict[str, dict[str, Any]] = document["Resources"]
        self.parameters: dict[str, dict[str, Any]] = document.get("Parameters", {})

    def resolved(self, value: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON; one for each function
        """Return the value with texts in place of intrinsic functions; no condition holds."""
        match value:
            case {"Ref": name}:
                return self.referred_to(name)
            case {"Fn::GetAtt": [name, attribute]}:
                return self.referred_to(f"{name}.{attribute}")
            case {"Fn::Sub": [text, own]}:
                named = self.resolved(own)
                return self.resolved(
                    {"Fn::Sub": re.sub(r"\$\{(\w+)\}", lambda one: named.get(one[1], one[0]), text)}
                )
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:.]+)\}", lambda one: self.referred_to(one[1]), text)
            case {"Fn::If": [_, _, otherwise]}:
                return self.resolved(otherwise)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self.resolved(parts))
        if isinstance(value, dict):
            return {name: self.resolved(inner) for name, inner in value.items()}
        return [self.resolved(inner) for inner in value] if isinstance(value, list) else value

    def referred_to(self, name: str) -> str:
        """Return what `Ref`, or with a dot `Fn::GetAtt`, stands for."""
        logical_id, _, attribute = name.partition(".")
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return str(self.parameters[name].get("Default", name))
        kind = self.resources[logical_id]["Type"]
        if not attribute and kind not in REFERRED_TO_BY_ARN:
            return logical_id.lower()
        arn = ARNS[kind] % logical_id
        # On AWS its name is a time, whose colons parliament takes for those of the ARN.
        return f"{arn}/stream/name" if attribute == "StreamArn" else arn


class Loader(yaml.SafeLoader):
    """Reads YAML with the short forms of intrinsic functions."""


def intrinsic(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """Return the long form of `!Sub text` and its like."""
    name = suffix if suffix == "Ref" else f"Fn::{suffix}"
    if not isinstance(node, yaml.ScalarNode):
        assert isinstance(node, yaml.SequenceNode)  # noqa: S101 - no function takes a map
        return {name: loader.construct_sequence(node, deep=True)}
    text = loader.construct_scalar(node)
    return {name: str(text).split(".", 1) if suffix == "GetAtt" else text}


Loader.add_multi_constructor("!", intrinsic)

if __name__ == "__main__":
    main(sys.argv[1:])
