"""Writes openapi.json: the OpenAPI document, as the API serves it but for the server's address."""

from __future__ import annotations

import json
from pathlib import Path

from orders.openapi.document import openapi_document

DOCUMENT = Path(__file__).resolve().parent.parent / "openapi.json"


def main() -> None:
    """Write the document."""
    text = json.dumps(openapi_document("/"), indent=2, ensure_ascii=False)
    DOCUMENT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
