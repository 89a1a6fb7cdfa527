from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infrastructure.templates import ISSUER, Template, compiled, edited, package, read

EXAMPLE = Path(__file__).parent / "consumer.yml"


@pytest.fixture(scope="session")
def production() -> Template:
    return compiled("prod")


@pytest.fixture(scope="session")
def with_topic() -> Template:
    """Production, with the topic of events."""
    return compiled("prod", "--param=eventsTopic=true")


@pytest.fixture(scope="session")
def without_desk() -> Template:
    """Production, without the staff desk."""
    return compiled("prod", "--param=desk=false")


@pytest.fixture(scope="session")
def watched() -> Template:
    """Production, with a consumer of events added that has a queue and a topic of its own."""
    added = f"  - ${{file(./infra/{EXAMPLE.name}):%s}}\n"
    directory = edited("\nresources:\n", added % "functions" + "\nresources:\n")
    edited("\n  - extensions:\n", "\n" + added % "resources" + "  - extensions:\n", directory)
    shutil.copy(EXAMPLE, directory / "infra")
    return Template("prod", read(package(directory, "prod", **ISSUER)))


@pytest.fixture(scope="session")
def development() -> Template:
    return compiled("dev")


@pytest.fixture(scope="session")
def local() -> Template:
    return compiled("local")


@pytest.fixture(scope="session")
def customized() -> Template:
    """A stage with the longest name there can be, and with everything that may be set."""
    return compiled(
        "sixteen-letters0",
        "--param=corsOrigins=https://shop.example.com, https://admin.example.com",
        "--param=publicBaseUrl=https://api.example.com/v1/",
        "--param=jwtIssuer=https://login.example.com/tenant",
        "--param=jwtAudience=web, app",
        "--param=customerIdClaim=customer",
        "--param=staffClaim=roles",
        "--param=staffValue=clerk",
        "--param=payments=none",
        "--param=eventsTopic=true",
        "--param=deskClientId=the-desk",
        "--param=deskScope=openid offline_access",
        "--param=deskSignInOrigin=https://login.shop.example.com/oauth2/",
        "--param=logLevel=WARNING",
    )
