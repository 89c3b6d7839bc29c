"""A job's profile in the forms that other programs read. A process has said what is in the file: it is not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.control.errors import ArtifactError
from sonde.wire import profile as profiles
from sonde.wire.profile_exports import exported

if TYPE_CHECKING:
    from pathlib import Path

    from sonde.wire.profile import Profile

PROFILE = "profile.json"
"""The artifact of this name is one."""
MAX_BYTES = 32 << 20
MAX_FRAMES = 10_000_000
"""Of all samples' stacks together, as the other forms write them out."""
_MOST = 1 << 63


def export(path: Path, form: str) -> bytes:
    """The profile at `path` as `form`. Raises ArtifactError where that cannot be made of it."""
    if path.stat().st_size > MAX_BYTES:
        raise ArtifactError("too_large", f"the profile is over {MAX_BYTES >> 20} MiB; take it as json")
    try:
        profile = profiles.read(path.read_bytes())
        _check(profile)
    except (ValueError, RecursionError) as error:
        raise ArtifactError("error", f"the profile cannot be read: {error}") from None
    return exported(profile, form)


def _check(profile: Profile) -> None:
    """Raises ArtifactError, ValueError."""
    numbers = [profile.period_ns, profile.duration_ns]
    numbers += [frame.first_line for frame in profile.frames]
    numbers += [node.line for node in profile.nodes]
    numbers += [number for sample in profile.samples for number in sample]
    if numbers and not 0 <= min(numbers) <= max(numbers) < _MOST:
        raise ValueError("a number in it is negative, or too large")
    depth: list[int] = []
    for node in profile.nodes:
        depth.append(1 if node.parent == profiles.NO_PARENT else depth[node.parent] + 1)
    if sum(depth[sample.node] for sample in profile.samples) > MAX_FRAMES:
        raise ArtifactError("too_large", "written out, the profile would be too large; take it as json")
