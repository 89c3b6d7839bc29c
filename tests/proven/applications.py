"""The three: what they need, and a user's way through them."""

from __future__ import annotations

import re
import secrets
import shlex

from harness import Application, Client

TOKEN = "a" * 40


def mlflow(client: Client) -> None:
    """Experiments, runs, metrics, artifacts, models; Flask below FastAPI."""

    def api(call: str, method: str = "POST", /, **body: object) -> dict:
        path = f"/api/2.0/mlflow/{call}"
        given = {"params": body} if method == "GET" else {"json": body}
        return client.ask(method, path, path, **given).json()

    experiment = api("experiments/create", name=secrets.token_hex(8))["experiment_id"]
    api("experiments/get", "GET", experiment_id=experiment)
    api("experiments/search", max_results=10)
    for _ in range(3):
        run = api("runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
        metrics = [{"key": "m", "value": step, "timestamp": step, "step": step} for step in range(5)]
        api("runs/log-batch", run_id=run, metrics=metrics, params=[{"key": "p", "value": "s3cr3t"}])
        api("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=1)
        api("runs/get", "GET", run_id=run)
        artifact = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a.txt"
        template = "/api/2.0/mlflow-artifacts/artifacts/{artifact_path:path}"
        client.ask("PUT", artifact, template, data=b"s3cr3t" * 10000)
        assert client.ask("GET", artifact, template, stable=True).content == b"s3cr3t" * 10000
        api("artifacts/list", "GET", run_id=run)
        api("runs/update", run_id=run, status="FINISHED", end_time=5)
    api("runs/search", experiment_ids=[experiment], filter="metrics.m > 2")
    api("registered-models/create", name=secrets.token_hex(8))
    api("registered-models/search", "GET", max_results=5)
    client.ask("GET", "/api/2.0/mlflow/runs/get?run_id=" + "0" * 32, "/api/2.0/mlflow/runs/get", stable=True)
    client.ask("GET", "/", "/", stable=True)
    client.ask("GET", "/version", "/version", stable=True)
    client.ask("GET", "/static-files/favicon.ico", "/static-files/<path:path>", stable=True)
    client.ask("GET", "/nothing", stable=True)
    client.ask("POST", "/v1/traces", "/v1/traces", data=b"", stable=True)


def nautobot(client: Client) -> None:
    """Logging in, lists, a search, the health page's thread pool, REST, GraphQL, a job for the worker."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.ask("GET", "/login/", "/login/").text)
    assert token
    form = {"username": "admin", "password": "admin", "csrfmiddlewaretoken": token[1], "next": "/"}
    client.ask("POST", "/login/", "/login/", data=form, headers={"Referer": client.url})
    pages = ["/", "/dcim/locations/", "/dcim/devices/", "/ipam/prefixes/", "/extras/jobs/", "/search/", "/health/"]
    for page in [*pages, "/admin/", "/user/profile/"]:
        client.ask("GET", page, page)
    client.ask("GET", "/nothing/")
    headers = {"Authorization": f"Token {TOKEN}"}
    path, template = "/api/dcim/manufacturers/", "/api/dcim/manufacturers/<pk>/"
    for _ in range(3):
        made = client.ask("POST", path, path, apart=True, headers=headers, json={"name": secrets.token_hex(8)}).json()
        client.ask(
            "PATCH", f"{path}{made['id']}/", template, apart=True, headers=headers, json={"description": "s3cr3t"}
        )
        client.ask("GET", f"/dcim/manufacturers/{made['id']}/", "/dcim/manufacturers/<pk>/")
        client.ask("DELETE", f"{path}{made['id']}/", template, apart=True, headers=headers)
    client.ask("POST", path, path, apart=True, headers=headers, json={}, stable=True)
    client.ask("GET", "/api/dcim/locations/", "/api/dcim/locations/", apart=True, headers=headers, stable=True)
    client.ask("GET", "/api/dcim/locations/", "/api/dcim/locations/", stable=True, apart=True)
    query = {"query": "{ manufacturers { name } }"}
    client.ask("POST", "/api/graphql/", "/api/graphql/", apart=True, headers=headers, json=query)
    jobs = client.ask("GET", "/api/extras/jobs/?limit=100", "/api/extras/jobs/", apart=True, headers=headers).json()[
        "results"
    ]
    job = next(job["id"] for job in jobs if job["name"] == "Cleanup Custom Fields")
    client.ask(
        "PATCH",
        f"/api/extras/jobs/{job}/",
        "/api/extras/jobs/<pk>/",
        apart=True,
        headers=headers,
        json={"enabled": True},
    )
    run = f"/api/extras/jobs/{job}/run/"
    client.ask("POST", run, "/api/extras/jobs/<pk>/run/", apart=True, headers=headers, json={"data": {}})


def prefect(client: Client) -> None:
    """Flows, runs and their states, which are events on Redis, variables, limits; asyncio throughout."""
    for page in ["/api/health", "/api/hello", "/api/version", "/docs"]:
        client.ask("GET", page, page, stable=True)
    client.ask("GET", "/api/nothing", stable=True)
    flow = client.ask("POST", "/api/flows/", "/api/flows/", json={"name": "sums"}).json()["id"]
    client.ask("GET", f"/api/flows/{flow}", "/api/flows/{id:uuid}")
    client.ask("GET", f"/api/flows/{'0' * 8}-0000-0000-0000-{'0' * 12}", "/api/flows/{id:uuid}", stable=True)
    runs, tasks = "/api/flow_runs/", "/api/task_runs/"
    for number in range(3):
        state = {"flow_id": flow, "state": {"type": "PENDING"}}
        run = client.ask("POST", runs, runs, json=state).json()["id"]
        client.ask("GET", f"{runs}{run}", "/api/flow_runs/{id:uuid}")
        for kind in ["RUNNING", "COMPLETED"]:
            state = {"state": {"type": kind}}
            client.ask("POST", f"{runs}{run}/set_state", "/api/flow_runs/{id:uuid}/set_state", json=state)
        state = {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number), "state": {"type": "PENDING"}}
        client.ask("POST", tasks, tasks, json=state)
        client.ask("GET", f"{runs}{run}/graph-v2", "/api/flow_runs/{id:uuid}/graph-v2")
    client.ask("POST", f"{runs}filter", f"{runs}filter", json={"limit": 10})
    client.ask("POST", f"{runs}filter", f"{runs}filter", json={"limit": -1}, stable=True)
    name = f"v{secrets.token_hex(4)}"
    client.ask("POST", "/api/variables/", "/api/variables/", json={"name": name, "value": "s3cr3t"})
    client.ask("GET", f"/api/variables/name/{name}", "/api/variables/name/{name:str}")
    client.ask("DELETE", f"/api/variables/name/{name}", "/api/variables/name/{name:str}")
    client.ask("POST", "/api/events/filter", "/api/events/filter", json={})


_SUPERUSER = (
    "from django.contrib.auth import get_user_model; from nautobot.users.models import Token; "
    "user = get_user_model().objects.create_superuser('admin', 'admin@example.com', 'admin'); "
    f"Token.objects.create(user=user, key='{TOKEN}')"
)

_WITHOUT_REDIS = "env -u PREFECT_MESSAGING_BROKER -u PREFECT_MESSAGING_CACHE"
_BLOCKS = """
import asyncio
from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration
async def register():
    async with provide_database_interface().session_context() as session:
        await run_block_auto_registration(session=session)
asyncio.run(register())
"""
"""Prefect's workers all do so when they begin; in an empty database each but the first fails, and the server ends."""

APPLICATIONS = {
    "mlflow": Application(
        name="mlflow",
        requirements=("mlflow==3.17.2", "psycopg[binary]"),
        environment={"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        prepare=(),
        processes=(
            (
                "mlflow server --workers 2 --port {port} --artifacts-destination {folder}/artifacts "
                "--backend-store-uri postgresql+psycopg://postgres@127.0.0.1/{database}"
            ),
        ),
        ready="/health",
        drive=mlflow,
    ),
    "nautobot": Application(
        name="nautobot",
        requirements=("nautobot==3.2.7", "gunicorn"),
        environment={
            "NAUTOBOT_ROOT": "{folder}/home",
            "NAUTOBOT_CONFIG": "{folder}/home/nautobot_config.py",
            "NAUTOBOT_DB_ENGINE": "django.db.backends.postgresql",
            "NAUTOBOT_DB_NAME": "{database}",
            "NAUTOBOT_DB_USER": "postgres",
            "NAUTOBOT_DB_HOST": "127.0.0.1",
            "NAUTOBOT_REDIS_HOST": "127.0.0.1",
            "NAUTOBOT_REDIS_PORT": "{redis}",
            "NAUTOBOT_ALLOWED_HOSTS": "127.0.0.1",
            "NAUTOBOT_INSTALLATION_METRICS_ENABLED": "false",
        },
        prepare=(
            (
                "test -e {folder}/home/nautobot_config.py || nautobot-server init --disable-installation-metrics "
                "{folder}/home/nautobot_config.py"
            ),
            (
                "redis-server --port {redis} --save '' --bind 127.0.0.1 --daemonize yes && "
                "nautobot-server migrate -v 0 && "
                f'nautobot-server nbshell -c "{_SUPERUSER}" && nautobot-server collectstatic --no-input -v 0; '
                "code=$?; redis-cli -p {redis} shutdown nosave; exit $code"
            ),
        ),
        processes=(
            "gunicorn -w 2 --threads 2 -b 127.0.0.1:{port} nautobot.core.wsgi",
            "nautobot-server celery worker -c 2 -l INFO",
        ),
        ready="/login/",
        drive=nautobot,
    ),
    "prefect": Application(
        name="prefect",
        requirements=("prefect==3.8.8", "prefect-redis==0.3.0", "fastapi==0.149.0"),
        environment={
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://postgres@127.0.0.1/{database}",
            "PREFECT_MESSAGING_BROKER": "prefect_redis.messaging",
            "PREFECT_MESSAGING_CACHE": "prefect_redis.messaging",
            "PREFECT_SERVER_EVENTS_CAUSAL_ORDERING": "prefect_redis.ordering",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect_redis.lease_storage",
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
            "PREFECT_REDIS_MESSAGING_PORT": "{redis}",
        },
        prepare=("prefect server database upgrade -y", f"{_WITHOUT_REDIS} python -c {shlex.quote(_BLOCKS)}"),
        processes=("prefect server start --port {port} --workers 2 --no-services",),
        ready="/api/health",
        drive=prefect,
        background=("XINFO", "XTRIM"),
    ),
}
