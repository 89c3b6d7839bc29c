"""The metadata database: who comes first migrates it, and the tables are those the code names."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text

from sonde import settings
from sonde.server.accounts import tables
from sonde.server.accounts.database import check_schema, current_revision, metadata_url, open_metadata, writing
from sonde.server.accounts.errors import WrongSchemaError
from sonde.server.accounts.migrate import MIGRATIONS, migrate


def test_the_migrations_lead_to_the_tables_of_the_code(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, tables.metadata) == []


def test_the_revision_the_code_wants_is_the_last_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [tables.REVISION]


def test_processes_that_start_at_once_migrate_once(empty_url):
    engines = [open_metadata(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))

    assert current_revision(engines[0]) == tables.REVISION
    for engine in engines:
        engine.dispose()


def test_an_empty_database_and_one_of_a_newer_program_are_told_apart_from_ours(empty_url):
    engine = open_metadata(empty_url)
    with pytest.raises(WrongSchemaError, match="revision None"):
        check_schema(engine)
    migrate(engine)
    check_schema(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(WrongSchemaError, match="revision 9999"):
        check_schema(engine)
    with pytest.raises(WrongSchemaError, match="revision 9999"):
        migrate(engine)
    engine.dispose()


def test_a_database_that_does_not_answer_is_named_without_its_password():
    engine = open_metadata(make_url("postgresql+psycopg://sonde:open-sesame@127.0.0.1:1/none"))

    with pytest.raises(WrongSchemaError, match="does not answer") as raised:
        check_schema(engine)

    assert "open-sesame" not in str(raised.value)


@pytest.mark.parametrize(
    ("raw", "driver"),
    [("postgresql://h/d", "postgresql+psycopg"), ("mysql://h/d", "mysql+pymysql"), ("", "sqlite")],
)
def test_the_usual_addresses_mean_the_drivers_of_our_extras(tmp_path, raw, driver):
    url = metadata_url(settings.Settings({"metadata_url": raw}, environ={}), tmp_path)

    assert url.drivername == driver


def test_an_address_nobody_can_use_is_a_setting_error(tmp_path):
    with pytest.raises(settings.SettingError, match="metadata_url"):
        metadata_url(settings.Settings({"metadata_url": "localhost"}, environ={}), tmp_path)
    with pytest.raises(settings.SettingError, match="no driver for oracle"):
        open_metadata(make_url("oracle://h/d"))


def test_a_moment_comes_back_to_the_microsecond(accounts, clock):
    made = accounts.apps.create("shop", "test")

    assert made.app.created_at == clock.now
    assert accounts.apps.all()[0].created_at == clock.now
