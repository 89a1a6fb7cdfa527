"""Resolves infra/stage.js as the framework would, which takes a fiftieth of a packaging."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from infrastructure.templates import ROOT
from prerequisites import missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PARAMS = yaml.safe_load((ROOT / "serverless.yml").read_text())["params"]
USUAL = {
    "sls:stage": "local",
    "self:custom.productionStages": ["prod"],
    "params": PARAMS,
    **{f"param:{name}": default for name, default in PARAMS["default"].items()},
}
_RESOLVE = """
const makeStage = require('./infra/stage.js');
const outcome = ({ params, passed, ...given }) =>
  makeStage({
    options: { param: passed },
    resolveConfigurationProperty: async () => params,
    resolveVariable: async (variable) => given[variable.split(',')[0]] ?? '',
  }).then((stage) => ({ stage, refusal: null }), ({ message }) => ({ refusal: message }));
const all = JSON.parse(require('fs').readFileSync(0));
Promise.all(all.map(outcome)).then((outcomes) => console.log(JSON.stringify(outcomes)));
"""


def resolved(*given: Mapping[str, Any], directory: Path = ROOT) -> list[dict[str, Any]]:
    """For each set of variables the `stage` that infra/stage.js makes, or its `refusal`.

    What isn't given is as in serverless.yml; `passed` are the values of `--param`, which are not
    read from there.
    """
    node = shutil.which("node")
    if node is None:
        missing("Node.js is not installed.")
    result = subprocess.run(
        [node, "-e", _RESOLVE],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if name != "VERSION"},
        input=json.dumps([{**USUAL, **variables} for variables in given]),
        capture_output=True,
        text=True,
        check=True,
    )
    outcomes: list[dict[str, Any]] = json.loads(result.stdout)
    return outcomes
