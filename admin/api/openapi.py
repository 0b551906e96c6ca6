"""The description of the API (OpenAPI 3.1), made of the same declarations and models that check each call."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from admin.api.dispatch import CSRF_HEADER, IDEMPOTENCY_HEADER
from admin.api.operations import Operation
from admin.api.problems import TITLES, ProblemDetails
from admin.api.schemas import inlined

_REF = "#/components/schemas/{model}"
PREFIX = "/api/v1"


def describe(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole document."""
    models = _models(operations)
    names, schemas = models_json_schema(models, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Cartback",
            "version": version,
            "description": "Everything the admin's pages do. Money is in minor units, times are UTC.",
        },
        "servers": [{"url": PREFIX}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key (cbk_…)"},
                "session": {"type": "apiKey", "in": "cookie", "name": "cartback"},
            },
        },
        "security": [{"key": []}, {"session": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
    }


def _models(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], Any]]:
    wanted: dict[tuple[type[BaseModel], str], None] = {(ProblemDetails, "serialization"): None}
    for operation in operations:
        if operation.body is not None:
            wanted[operation.body, "validation"] = None
        if isinstance(operation.answer, type) and issubclass(operation.answer, BaseModel):
            wanted[operation.answer, "serialization"] = None
    return list(wanted)


def _operation(operation: Operation, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    summary, _, rest = (operation.handler.__doc__ or "").strip().partition("\n")
    needs = f"Needs the scope `{operation.scope}`." if operation.scope else ""
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": summary.rstrip("."),
        "description": "\n\n".join(part for part in (_plain(rest), needs) if part),
        "parameters": _parameters(operation),
        "responses": _responses(operation, names),
    }
    if operation.open:
        told["security"] = []
    if operation.body is not None:
        schema = names[operation.body, "validation"]
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return told


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": TypeAdapter(kind).json_schema()}
        for name, kind in operation.path_types.items()
    ]
    if operation.query is not None:
        schema = operation.query.model_json_schema()
        definitions = schema.get("$defs", {})
        for name, each in schema["properties"].items():
            each = inlined(each, definitions)
            parameter = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": each}
            if "description" in each:
                parameter["description"] = each.pop("description")
            found.append(parameter)
    if operation.unsafe:
        text = "1; needed with a session's cookie" if not operation.open else "1"
        found.append(_header(CSRF_HEADER, text, {"type": "string", "const": "1"}, required=operation.open))
    if operation.repeatable:
        text = "The same key gets the same answer, and the action happens once"
        schema = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append(_header(IDEMPOTENCY_HEADER, text, schema, required=False))
    return found


def _header(name: str, text: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": text, "schema": schema}


def _responses(operation: Operation, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done" if operation.unsafe else "Here it is"}
    if operation.media is not None:
        good["content"] = {operation.media: {"schema": {"type": "string"}}}
    elif operation.answer is not None:
        good["content"] = {"application/json": {"schema": names[operation.answer, "serialization"]}}
    problem = {"application/problem+json": {"schema": names[ProblemDetails, "serialization"]}}
    return {str(operation.status): good} | {
        str(status): {"description": TITLES[status], "content": problem} for status in sorted(_statuses(operation))
    }


def _statuses(operation: Operation) -> set[int]:
    """The refusals that may come."""
    found = {422, 429, 503}
    if not operation.open:
        found |= {401, 403}
    if operation.path_types:
        found |= {404}
    if operation.query is not None and "store" in operation.query.model_fields:
        found |= {404}
    if operation.unsafe:
        found |= {401, 403, 404, 409, 413}
    if operation.body is not None:
        found |= {400, 415}
    if operation.method in {"PUT", "PATCH"}:
        found |= {412, 428}
    return found


def _plain(text: str) -> str:
    """The rest of a docstring without what only a programmer of it needs."""
    lines = [line.strip() for line in text.partition("Raises:")[0].strip().splitlines()]
    return "\n".join(lines)
