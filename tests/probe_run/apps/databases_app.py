"""Asks databases by SQLAlchemy, sync in a thread of the pool and asyncio; `/<driver>` answers with what came back."""

import functools
import os

import fastapi
from fastapi.responses import PlainTextResponse
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

URLS = {
    "sqlite": "sqlite://",
    "psycopg": "postgresql+psycopg://postgres@127.0.0.1/test",
    "psycopg2": "postgresql+psycopg2://postgres@127.0.0.1/test",
    "pymysql": "mysql+pymysql://root:@127.0.0.1/test",
    "aiosqlite": "sqlite+aiosqlite://",
    "asyncpg": "postgresql+asyncpg://postgres@127.0.0.1/test",
    "psycopg_async": "postgresql+psycopg://postgres@127.0.0.1/test",
    "aiomysql": "mysql+aiomysql://root:@127.0.0.1/test",
}
app = fastapi.FastAPI()
sync_engine = functools.cache(lambda driver: create_engine(URLS[driver]))
async_engine = functools.cache(lambda driver: create_async_engine(URLS[driver]))


@app.get("/", response_class=PlainTextResponse)
async def index() -> str:
    return str(os.getpid())


@app.get("/sync/{driver}", response_class=PlainTextResponse)
def ask(driver: str) -> str:
    with sync_engine(driver).connect() as connection:
        return str(connection.execute(text("select 'secret'")).scalar())


@app.get("/async/{driver}", response_class=PlainTextResponse)
async def ask_async(driver: str) -> str:
    async with async_engine(driver).connect() as connection:
        return str((await connection.execute(text("select 'secret'"))).scalar())
