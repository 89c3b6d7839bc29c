"""A shop instrumented with OpenTelemetry's own libraries; `/all` makes a call by each and a span by hand."""

import asyncio
import os
import sqlite3
import sys

import aiohttp
import asyncpg
import flask
import jinja2
import pymysql
import redis
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.jinja2 import Jinja2Instrumentor
from opentelemetry.instrumentation.pymysql import PyMySQLInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

for instrumentor in (
    AioHttpClientInstrumentor,
    AsyncPGInstrumentor,
    Jinja2Instrumentor,
    PyMySQLInstrumentor,
    RedisInstrumentor,
    RequestsInstrumentor,
    SQLite3Instrumentor,
):
    instrumentor().instrument()

PORT = int(sys.argv[1])
app = flask.Flask(__name__)
FlaskInstrumentor().instrument_app(app)
tracer = trace.get_tracer("shop")
template = jinja2.Template("Hello {{ name }}")


@app.get("/")
def index() -> str:
    return str(os.getpid())


@app.get("/leaf")
def leaf() -> str:
    return flask.request.headers.get("traceparent", "")


@app.get("/all")
def everything() -> list[str]:
    trace.get_current_span().set_attribute("shop.basket", 3)
    with tracer.start_as_current_span("by hand"):
        connection = sqlite3.connect(":memory:")
        connection.cursor().execute("select 'secret'")
        connection.close()
    with pymysql.connect(host="127.0.0.1", user="root", database="test") as database, database.cursor() as cursor:
        cursor.execute("select 'secret'")
    with redis.Redis("127.0.0.1", 6379, 9) as client:
        client.get("secret")
    template.render(name="secret")
    headers = [requests.get(f"http://127.0.0.1:{PORT}/leaf?secret", timeout=10).text]
    headers.append(asyncio.run(ask()))
    return headers


async def ask() -> str:
    database = await asyncpg.connect("postgresql://postgres@127.0.0.1/test")
    await database.fetchval("select 'secret'")
    await database.close()
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{PORT}/leaf?secret") as answer:
        return await answer.text()


app.run("127.0.0.1", PORT, threaded=True)
