"""The OpenAPI document, built from the types that the functions decode."""
