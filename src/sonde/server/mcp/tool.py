"""A tool: what it may be asked, and how its answer is made small enough to be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sonde.server.api.moments import DEFAULT_RANGE, LONGEST_RANGE, Moment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from sonde.server.api.parts import Parts
    from sonde.server.mcp.links import Links

MOST_BYTES = 60_000
"""Of an answer as JSON: some 20,000 words for the one who reads it."""
Name = Annotated[str, Field(max_length=1000)]


class Question(BaseModel):
    """The arguments of a tool. Others than those named are refused: a misspelt filter would be no filter."""

    model_config = ConfigDict(extra="forbid")


class InTime(Question):
    """Arguments with a span of time."""

    from_: Moment | None = Field(None, alias="from", description="Start, RFC 3339. Default: an hour before the end.")
    to: Moment | None = Field(None, description="End, RFC 3339. Default: now.")

    @model_validator(mode="after")
    def _in_order(self) -> InTime:
        if self.from_ is not None and self.to is not None and not timedelta() < self.to - self.from_ <= LONGEST_RANGE:
            raise ValueError(f"`from` must be before `to`, at most {LONGEST_RANGE.days} days")
        return self

    def between(self, now: datetime) -> tuple[datetime, datetime]:
        """Start and end. Raises NotAnswered where the start lies in the future."""
        end = self.to or now
        start = self.from_ or end - DEFAULT_RANGE
        if not timedelta() < end - start <= LONGEST_RANGE:
            raise NotAnswered(f"`from` must be before `to` (by default now), at most {LONGEST_RANGE.days} days")
        return start, end


class NotAnswered(Exception):  # noqa: N818 - it is no fault of ours
    """Said to the one who asked, as the tool's own error: another question may be answered."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, of what, and when."""

    parts: Parts
    apps: tuple[str, ...] | None
    links: Links
    now: datetime


Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Tool(Generic[Q]):
    """`answer` gives an object with a `link`. When it is too long, those of its lists that `lists` names are cut, the
    longest first.
    """

    name: str
    title: str
    description: str
    question: type[Q]
    answer: Callable[[Asker, Q], Awaitable[dict[str, Any]]]
    lists: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """As `tools/list` says it."""
        schema = self.question.model_json_schema()
        schema.pop("description", None)
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": schema,
            "annotations": {"title": self.title, "readOnlyHint": True, "openWorldHint": False},
        }

    async def __call__(self, asker: Asker, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The result of `tools/call`: the answer as an object, and as text for those who read only that."""
        try:
            question = self.question.model_validate(arguments)
            answer = await self.answer(asker, question)
            text = shortened(answer, self.lists)
        except ValidationError as error:
            return failed(_first_problem(error))
        except NotAnswered as error:
            return failed(str(error))
        return {"content": [{"type": "text", "text": text}], "structuredContent": answer, "isError": False}


def failed(message: str) -> dict[str, Any]:
    """The result of a call that has no answer."""
    return {"content": [{"type": "text", "text": message}], "isError": True}


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place + ': ' if place else ''}{first['msg'].removeprefix('Value error, ')}"


def shortened(answer: dict[str, Any], lists: Sequence[str]) -> str:
    """`answer` as JSON of at most MOST_BYTES. It is changed: the end of its lists is left out, and `left_out` says how
    many of each. Raises NotAnswered where that is not enough.
    """
    text = msgspec.json.encode(answer)
    left_out: dict[str, int] = {}
    while len(text) > MOST_BYTES:
        longest = max((name for name in lists if answer[name]), key=lambda name: len(answer[name]), default=None)
        if longest is None:
            raise NotAnswered("the answer is too long to be given; ask for less")
        rows = answer[longest]
        kept = min(len(rows) - 1, int(len(rows) * MOST_BYTES / len(text)))
        left_out[longest] = left_out.get(longest, 0) + len(rows) - kept
        answer[longest] = rows[:kept]
        answer["left_out"] = left_out
        text = msgspec.json.encode(answer)
    return text.decode()
