"""Answers with its process id, after one query."""

import os
import sqlite3

import fastapi
from fastapi.responses import PlainTextResponse

app = fastapi.FastAPI()


@app.get("/", response_class=PlainTextResponse)
async def index() -> str:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()
    return str(os.getpid())
