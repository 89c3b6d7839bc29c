"""Runs applications of others bare and under the probe, and says what is seen of them. See docs/proven.md.

scripts/prove-apps [--folder FOLDER] [--drop] [mlflow] [nautobot] [prefect]
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import math
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from applications import APPLICATIONS
from harness import QUIET_S, Client, Place, ProofError, Run, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = 3
SETTLED_S = 15.0
"""Until every worker is there: which of them said that it is ready is not known."""
SERVER, CONSUMER = 2, 5
POSTGRESQL_LOG = Path("/var/log/postgresql/postgresql-15-main.log")
ENTRY = re.compile(r"(?ms)^\S+ \S+ \S+ \[\d+\] \S+?@(\S+) LOG:\s+(?:statement|execute [^:]*): (.*?)(?=^\d{4}-|\Z)")
DRIVERS_OWN = re.compile(
    r"DEALLOCATE ALL|RELEASE|SAVEPOINT|CLOSE|SELECT (current_setting|set_config)\('jit'|SELECT t?\.?typname"
    r"|WITH RECURSIVE typeinfo_tree|BEGIN|CONNECT$",
    re.IGNORECASE,
)
"""Statements without a span of their own by design, or that are said in other words: begins, savepoints, the driver's
questions about types; and the span of a new connection, which is no statement."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*APPLICATIONS, []], help="all of them, if none is said")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "sonde-proven")
    parser.add_argument("--drop", action="store_true", help="drop their databases afterwards")
    arguments = parser.parse_args()
    wrong = 0
    for name in arguments.names or APPLICATIONS:
        place = Place(APPLICATIONS[name], arguments.folder)
        try:
            place.folder.mkdir(parents=True, exist_ok=True)
            print(f"{name}: installing", flush=True)
            place.install()
            place.make_database()
            bare, seen = run(place, probe=False), run(place, probe=True)
            wrong += report(place, bare, seen)
        except ProofError as error:
            print(f"{name}: {error}")
            wrong += 1
        finally:
            if arguments.drop:
                place.drop_database()
    return 1 if wrong else 0


def run(place: Place, *, probe: bool) -> Run:
    """Start, drive as several users at once, stop."""
    log = place.folder / ("probe.log" if probe else "bare.log")
    client = Client(f"http://127.0.0.1:{place.port}")
    print(f"{place.application.name}: {'under the probe' if probe else 'bare'}", flush=True)
    with tempfile.TemporaryDirectory() as short, listening(f"{short}/s") as receiver:
        with place.running(f"{short}/s", log, probe=probe):
            place.application.drive(Client(client.url))  # the first visit of each page: caches, connections, types
            time.sleep(SETTLED_S)
            receiver.spans.clear()
            offset = POSTGRESQL_LOG.stat().st_size if POSTGRESQL_LOG.exists() else 0
            faults: list[str] = []

            def user() -> None:
                own = Client(client.url)
                try:
                    place.application.drive(own)
                except Exception as error:  # said with the rest
                    faults.append(f"the drive failed: {error!r}")
                client.asked.update(own.asked)

            users = [Thread(target=user) for _ in range(USERS)]
            for thread in users:
                thread.start()
            for thread in users:
                thread.join()
            time.sleep(QUIET_S)
            spans = list(receiver.spans)
            logged = Counter(_logged(place.database, offset))
        receiver.spans = spans
    return Run(client, receiver, logged, log.read_text(errors="replace"), faults)


def _logged(database: str, offset: int) -> Iterator[str]:
    try:
        with POSTGRESQL_LOG.open("rb") as log:
            log.seek(offset)
            text = log.read().decode(errors="replace")
    except OSError:
        return
    for where, lines in ENTRY.findall(text):
        statement = " ".join(lines.split())
        if where == database and statement.strip("; ") and not DRIVERS_OWN.match(statement):
            yield _beginning(statement)


def _beginning(statement: str) -> str:
    """As much as log and span have in common: no values, no placeholders."""
    text = " ".join(statement.split()).rstrip(";")
    text = re.sub(r"^DECLARE .*? FOR ", "", text)
    text = re.sub(r"^FETCH.*", "FETCH", text)
    return re.split(r"[?$%'\d]", text)[0][:60]


def report(place: Place, bare: Run, seen: Run) -> int:
    """Print what there is to say. The number of things that are wrong."""
    wrong = [*bare.faults, *seen.faults, *_requests(place, seen), *_same_answers(bare, seen), *_statements(seen)]
    if "src/sonde/" in seen.output:
        wrong.append("a traceback or warning that names the probe is in the output")
    entries = Counter(span.resource["process.pid"] for span in seen.receiver.spans if span.kind == SERVER)
    if len(entries) < 2:
        wrong.append(f"only {len(entries)} worker answered")
    took = [
        1000 * statistics.median([asked.took_s for asked in run.client.asked.values()] or [0]) for run in (bare, seen)
    ]
    names = Counter(span.name.partition(" ")[0] for span in seen.receiver.spans)
    print(f"  {len(seen.client.asked)} requests, answered by {len(entries)} workers; {len(seen.receiver.spans)} spans")
    print(f"  most frequent: {', '.join(f'{name} {count}' for name, count in names.most_common(8))}")
    print(f"  PostgreSQL's log: {sum(seen.logged.values())} statements" if seen.logged else "  no log of PostgreSQL")
    print(f"  median of a request: {took[0]:.1f} ms bare, {took[1]:.1f} ms under the probe, this once")
    for line, count in Counter(wrong).items():
        print(f"  WRONG {count} × {line}")
    print(f"  {'nothing is wrong' if not wrong else 'see above'}", flush=True)
    return len(wrong)


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else math.nan


def _requests(place: Place, seen: Run) -> Iterator[str]:
    """One trace each, with one entry, its route and status; everything below it; nothing beside it."""
    traces = defaultdict(list)
    for span in seen.receiver.spans:
        traces[span.trace_id].append(span)
    ids = Counter(span.span_id for span in seen.receiver.spans)
    yield from (f"span twice: {span_id}" for span_id, count in ids.items() if count > 1)
    for trace, asked in seen.client.asked.items():
        spans = traces.pop(trace, [])
        entries = [span for span in spans if span.kind == SERVER]
        what = f"{asked.method} {asked.route or asked.path}"
        if len(entries) != 1:
            yield f"{what}: {len(entries)} entries"
            continue
        said = entries[0].attributes
        found = (entries[0].name, said.get("http.response.status_code"), said.get("url.path"))
        if found[1:] != (asked.status, asked.path) or (asked.route and found[0] != what):
            yield f"{what} {asked.status}: seen as {found}"
        inside = {span.span_id for span in spans}
        if not all(span.parent_id in inside for span in spans if span is not entries[0]):
            yield f"{what}: a span below it without its parent"
        if "s3cr3t" in str([(span.name, span.attributes) for span in spans]):
            yield f"{what}: a value is recorded"
    for spans in traces.values():
        first = min(spans, key=lambda span: span.parent_id in ids)
        if not first.name.startswith(place.application.background) and first.kind != CONSUMER:
            yield f"belongs to no request: {first.name} {first.attributes.get('db.query.text', '')[:60]}"


def _same_answers(bare: Run, seen: Run) -> Iterator[str]:
    """What pages say that are always the same, and every status."""
    for label, value in (("status", "status"), ("body", "body")):
        answers = [
            {
                (asked.method, re.sub(r"[0-9a-f-]{8,}|\d+", "…", asked.path), getattr(asked, value))
                for asked in all_asked
            }
            for all_asked in (bare.client.asked.values(), seen.client.asked.values())
        ]
        yield from (
            f"another {label} than without the probe: {method} {path}" for method, path, _ in answers[0] ^ answers[1]
        )


def _statements(seen: Run) -> Iterator[str]:
    """Every statement that PostgreSQL's log has is a span, and the other way round."""
    if not seen.logged:
        return
    spans: Counter[str] = Counter()
    for span in seen.receiver.spans:
        said = span.attributes
        text = said.get("db.query.text", span.name)
        if said.get("db.system.name") == "postgresql" and text.strip("; ") and not DRIVERS_OWN.match(text):
            spans[_beginning(text)] += said.get("db.operation.batch.size", 1)
    for text in sorted(seen.logged | spans):
        if seen.logged[text] != spans[text]:
            yield f"{seen.logged[text]} in PostgreSQL's log, {spans[text]} spans: {text}"


if __name__ == "__main__":
    sys.exit(main())
