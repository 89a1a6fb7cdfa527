"""infra/deployer.yml with its references resolved, as CloudFormation does for one stage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cfnlint.decode import cfn_yaml

from infrastructure.arns import PSEUDO
from infrastructure.templates import ROOT, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Json = dict[str, Any]

DEPLOYER: Final = ROOT / "infra" / "deployer.yml"
REPOSITORY: Final = "shop/orders"
_LEFT_OUT: Final = object()


class Right(NamedTuple):
    """An action that a statement of the role allows."""

    statement: str
    action: str

    def __str__(self) -> str:
        return f"{self.action} ({self.statement})"


class Deployer:
    """The roles and policies of one stage."""

    def __init__(
        self, stage: str, *, production: bool = False, partition: str = PSEUDO["AWS::Partition"]
    ) -> None:
        self._template: Json = cfn_yaml.load(str(DEPLOYER))
        self.parameters = {
            "Stage": stage,
            "Production": str(production).lower(),
            "Repository": REPOSITORY,
            "OidcProviderArn": "",
        }
        self._pseudo = PSEUDO | {"AWS::Partition": partition}

    def pattern(self, parameter: str) -> str:
        pattern: str = self._template["Parameters"][parameter]["AllowedPattern"]
        return pattern

    def properties(self, logical_id: str) -> Json:
        resolved: Json = self._resolved(self._template["Resources"][logical_id]["Properties"])
        return resolved

    @property
    def documents(self) -> dict[str, Json]:
        """The role's own policies, by name."""
        policies = self.properties("Deployer")["Policies"]
        return {one["PolicyName"]: one["PolicyDocument"] for one in policies}

    @property
    def statements(self) -> list[Json]:
        return [one for document in self.documents.values() for one in document["Statement"]]

    @property
    def rights(self) -> list[Right]:
        return [
            Right(statement["Sid"], action)
            for statement in self.statements
            for action in listed(statement["Action"])
        ]

    def boundary(self, logical_id: str) -> list[Json]:
        statements: list[Json] = self.properties(logical_id)["PolicyDocument"]["Statement"]
        return statements

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401, PLR0911 - JSON, in each of its forms
        if isinstance(value, list):
            resolved = [self._resolved(one) for one in value]
            return [one for one in resolved if one is not _LEFT_OUT]
        if not isinstance(value, dict):
            return value
        if "Ref" in value:
            return self._named(value["Ref"])
        if "Fn::GetAtt" in value:
            return self._named(value["Fn::GetAtt"][0])
        if "Fn::If" in value:
            condition, yes, no = value["Fn::If"]
            return self._resolved(yes if self._holds(condition) else no)
        if "Fn::Sub" in value:
            text, names = value["Fn::Sub"], {}
            if isinstance(text, list):
                text, names = text[0], self._resolved(text[1])
            return "".join(self._substituted(text, names))
        return {key: self._resolved(one) for key, one in value.items()}

    def _holds(self, condition: str) -> bool:
        first, second = self._resolved(self._template["Conditions"][condition]["Fn::Equals"])
        return bool(first == second)

    def _substituted(self, text: str, names: Mapping[str, str]) -> Iterator[str]:
        for part in re.split(r"(\$\{[^}]+\})", text):
            name = part[2:-1]
            if not part.startswith("${"):
                yield part
            else:
                yield names[name] if name in names else self._named(name)

    def _named(self, name: str) -> Any:  # noqa: ANN401 - text, or a mark
        if name == "AWS::NoValue":
            return _LEFT_OUT
        known = self.parameters | self._pseudo
        return known.get(name, f"the ARN of {name}")
