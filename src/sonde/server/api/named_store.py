"""The store as people see it: names of services and endpoints as the rules of the apps have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.store.queries.naming import named

if TYPE_CHECKING:
    from sonde.server.api.parts import Parts
    from sonde.server.store.client import StoreClient


def named_store(parts: Parts) -> StoreClient:
    """For one question: rules may change before the next one. May block."""
    return named(parts.store, parts.accounts.name_rules.all())
