"""pymongo against a server of the tests' own, see mongo_server: there is no MongoDB to be had from Debian."""

from __future__ import annotations

import asyncio

import mongo_server
import pymongo
import pytest
from pymongo import InsertOne, MongoClient, WriteConcern, monitoring
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, ServerSelectionTimeoutError

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

ENTRY = core.operation("entry", core.SERVER)
OPTIONS = {"serverSelectionTimeoutMS": 5000}


@pytest.fixture
def server():
    server = mongo_server.Server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(spans, server):
    with MongoClient("127.0.0.1", server.server_address[1], **OPTIONS) as client:
        yield client


def facts(server, operation, collection="orders"):
    return {
        "db.system.name": "mongodb",
        "db.operation.name": operation,
        "db.namespace": "shop",
        "db.collection.name": collection,
        "server.address": "127.0.0.1",
        "server.port": server.server_address[1],
    }


def test_a_command_is_a_client_span_without_documents(spans, server, client):
    orders = client.shop.orders
    with core.scope(ENTRY):
        orders.insert_one({"_id": "secret"})
        assert orders.find_one({"_id": "secret"}) == {"_id": "secret"}
        orders.update_one({"_id": "secret"}, {"$set": {"a": "secret"}})

    insert, find, update, entry = spans.take(4)
    assert [span.name for span in (insert, find, update)] == ["insert orders", "find orders", "update orders"]
    assert (insert.kind, insert.parent_id) == ("client", entry.span_id)
    assert [span.attributes for span in (insert, find, update)] == [
        facts(server, "insert"),
        facts(server, "find"),
        facts(server, "update"),
    ]


def test_each_batch_of_a_cursor_is_a_span(spans, server, client):
    server.documents += [{"_id": number} for number in range(4)]
    assert len(list(client.shop.orders.find())) == 4

    find, more = spans.take(2)
    assert (find.name, more.name) == ("find orders", "getMore orders")
    assert more.attributes == facts(server, "getMore")


def test_a_bulk_write_is_a_span_a_batch(spans, server, client):
    client.shop.orders.insert_many([{"_id": 1}, {"_id": 2}])
    client.shop.orders.bulk_write([InsertOne({"_id": 3})])
    with pytest.raises(BulkWriteError):
        client.shop.orders.insert_many([{"_id": 1}, {"_id": 9}])

    assert [span.name for span in spans.take(3)] == ["insert orders"] * 3


def test_a_write_that_nobody_waits_for_is_a_span(spans, client):
    client.shop.get_collection("orders", write_concern=WriteConcern(w=0)).insert_many([{"_id": 1}])

    assert spans.only().name == "insert orders"


def test_commands_without_a_collection_have_none(spans, server, client):
    client.admin.command("ping")
    list(client.shop.aggregate([{"$documents": []}]))

    ping, aggregate = spans.take(2)
    assert (ping.name, ping.attributes["db.namespace"]) == ("ping", "admin")
    assert aggregate.name == "aggregate"
    assert "db.collection.name" not in aggregate.attributes


def test_an_error_is_recorded_without_its_message(spans, client):
    with pytest.raises(OperationFailure) as caught:
        client.shop.command("secretive", "orders")
    client.shop.orders.insert_one({"_id": "secret"})
    with pytest.raises(DuplicateKeyError):
        client.shop.orders.insert_one({"_id": "secret"})

    refused, _, _ = spans.take(3)
    assert "secret" in str(caught.value)
    assert refused.is_error
    assert refused.events == []
    assert (refused.attributes["error.type"], refused.attributes["db.response.status_code"]) == (
        "OperationFailure",
        "59",
    )


def test_a_server_that_is_not_there_has_no_command(spans):
    with (
        MongoClient("127.0.0.1", 1, serverSelectionTimeoutMS=50) as client,
        pytest.raises(ServerSelectionTimeoutError),
    ):
        client.shop.orders.find_one()

    spans.take(0)


def test_listeners_of_the_user_hear_what_they_did(spans, server):
    class Own(monitoring.CommandListener):
        heard: list = []  # noqa: RUF012 - one test, one listener

        def started(self, event):
            self.heard.append(event.command_name)

        def succeeded(self, event):
            self.heard.append("succeeded")

        def failed(self, event):
            self.heard.append("failed")

    with MongoClient("127.0.0.1", server.server_address[1], event_listeners=[Own()], **OPTIONS) as client:
        client.shop.orders.find_one()

    assert Own.heard[:2] == ["find", "succeeded"]
    spans.only()


@pytest.mark.skipif(pymongo.version_tuple < (4, 9), reason="no AsyncMongoClient before 4.9")
def test_the_asynchronous_client_is_the_same(spans, server):
    async def work():
        async with pymongo.AsyncMongoClient("127.0.0.1", server.server_address[1], **OPTIONS) as client:
            orders = client.shop.orders
            with core.scope(ENTRY):
                await orders.insert_one({"_id": 0})
                await orders.insert_many([{"_id": number} for number in (1, 2)])
                assert len(await orders.find().to_list()) == 3
            with pytest.raises(OperationFailure):
                await client.shop.command("secretive", "orders")

    asyncio.run(asyncio.wait_for(work(), 20))
    *found, entry, refused = spans.take(6)
    assert [span.name for span in found] == ["insert orders", "insert orders", "find orders", "getMore orders"]
    assert {span.parent_id for span in found} == {entry.span_id}
    assert found[0].attributes == facts(server, "insert")
    assert refused.is_error


def test_every_function_is_put_back():
    from pymongo.pool import Connection

    before = Connection.command
    engine = Engine({"pymongo": ("pymongo",)})
    engine.start()
    assert Connection.command is not before
    engine.stop()
    assert Connection.command is before
