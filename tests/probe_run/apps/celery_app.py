"""Tasks that query, fail, retry and call each other; broker and queue come from the environment."""

import os
import signal
import sqlite3
import time
from pathlib import Path

import celery

BROKER = os.environ["CELERY_TEST_BROKER"]
QUEUE = os.environ["CELERY_TEST_QUEUE"]

app = celery.Celery("celery_app", broker=BROKER, backend="cache+memory://")
app.conf.update(
    task_default_queue=QUEUE,
    task_default_exchange=QUEUE,
    task_default_routing_key=QUEUE,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    broker_heartbeat=1,  # without, the loop of an idle worker does not see that it shall end
    broker_transport_options={"global_keyprefix": QUEUE} if BROKER.startswith("redis") else {},
    worker_enable_remote_control=False,
)


def query() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()


@app.task(name="shop.add")
def add(_secret: str) -> int:
    query()
    return os.getpid()


@app.task(name="shop.outer")
def outer() -> None:
    add.delay("secret")


@app.task(name="shop.touch")
def touch(path: str) -> None:
    query()
    Path(path).touch()


@app.task(name="shop.dies")
def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="shop.stuck")
def stuck(path: str) -> None:
    Path(path).touch()
    time.sleep(60)
