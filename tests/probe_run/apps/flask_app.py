"""Answers with its process id, after one query."""

import os
import sqlite3

import flask

app = flask.Flask(__name__)


@app.get("/")
def index() -> str:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()
    return str(os.getpid())
