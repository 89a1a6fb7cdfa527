from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infrastructure.templates import compiled

if TYPE_CHECKING:
    from infrastructure.templates import Template


@pytest.fixture(scope="session")
def production() -> Template:
    return compiled("prod")


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
        "--param=logLevel=DEBUG",
        "--param=tracer=true",
    )
