"""An intake over a spool in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from intake_world import APP, TOKEN, Sender

from sonde.server.accounts.accounts import utc_now
from sonde.server.intake.acceptance import Acceptance
from sonde.server.intake.hints import Hints
from sonde.server.intake.otlp import OtlpIntake
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def limits() -> SpoolLimits:
    return SpoolLimits(min_free_bytes=0, file_max_age_s=3600)


@pytest.fixture
def spool(tmp_path: Path, limits: SpoolLimits) -> Iterator[Spool]:
    with Spool(tmp_path / "spool", limits) as spool:
        yield spool


@pytest.fixture
def hints() -> Hints:
    return Hints(utc_now)


@pytest.fixture
def new_intake(hints: Hints) -> Iterator[Callable[..., OtlpIntake]]:
    made: list[OtlpIntake] = []

    def make(spool: Spool, **more: Any) -> OtlpIntake:
        made.append(OtlpIntake(Acceptance(authenticate={TOKEN: APP}.get, spool=spool, hints=hints, **more)))
        return made[-1]

    yield make
    for intake in made:
        intake.acceptance.close()


@pytest.fixture
def intake(spool: Spool, new_intake: Callable[..., OtlpIntake]) -> OtlpIntake:
    return new_intake(spool, max_body_bytes=1 << 20)


@pytest.fixture
def sender(intake: OtlpIntake) -> Sender:
    return Sender(intake)
