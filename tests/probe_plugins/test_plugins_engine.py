import importlib
import inspect
import pickle
import subprocess
import sys
import textwrap
from types import ModuleType

import pytest

from sonde.probe import core, guard
from sonde.probe.plugins import REGISTRY
from sonde.probe.plugins.engine import Engine
from sonde.probe.plugins.plugin import Plugin

SHOP = """
def price(item, *, discount: float = 0.0) -> float:
    "What an item costs."
    return 10.0

price.owner = "sales"
cost = price

class Basket:
    def add(self, item): return ("added", item)
    @staticmethod
    def empty(): return "empty"
    @classmethod
    def named(cls, name): return (cls.__name__, name)
    async def pay(self): return "paid"

class Small(Basket):
    pass
"""

calls: list[str] = []


def counted(wrapped):
    def call(*args, **kwargs):
        calls.append(wrapped.__qualname__)
        return wrapped(*args, **kwargs)

    return call


def counted_async(wrapped):
    async def call(*args, **kwargs):
        calls.append(wrapped.__qualname__)
        return await wrapped(*args, **kwargs)

    return call


POINTS = {
    "shoplib.core:price": counted,
    "shoplib.core:cost": counted,
    "shoplib.core:Basket.add": counted,
    "shoplib.core:Basket.empty": counted,
    "shoplib.core:Basket.named": counted,
    "shoplib.core:Basket.pay": counted_async,
    "shoplib.core:Small.add": counted,
}


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """An importable library `shoplib` 1.2 and a plugin for it; gives a function that makes an engine."""
    calls.clear()
    guard.forget()
    package = tmp_path / "shoplib"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "core.py").write_text(SHOP)
    info = tmp_path / "shoplib-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shoplib\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(guard, "raised", False)
    engines = []

    def engine(points=POINTS, supports=">=1,<2", optional=(), off=(), plugin=None):
        module = ModuleType("sonde.probe.plugins.shoplib")
        module.PLUGIN = plugin or Plugin("shoplib", supports, points, frozenset(optional))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        made = Engine({"shoplib": ("shoplib",)}, off)
        engines.append(made)
        return made

    yield engine
    for made in engines:
        made.stop()
    for name in [name for name in sys.modules if name.partition(".")[0] == "shoplib"]:
        del sys.modules[name]


def status(engine):
    return engine.status()[0]


def test_nothing_is_imported_until_the_user_imports_the_library(shop):
    engine = shop()
    engine.start()

    assert "shoplib" not in sys.modules
    assert status(engine).state == "waiting"

    from shoplib.core import price

    assert price("tea") == 10.0
    assert calls == ["price"]
    assert status(engine).state == "active"
    assert status(engine).version == "1.2"


@pytest.mark.skipif(not core.NATIVE, reason="the twin looks in Python")
def test_looking_for_a_module_that_nobody_waits_for_runs_no_python_of_ours(shop):
    """Some libraries look for one that is not there at each request."""
    shop().start()
    ours = []

    def called(frame, event, _argument):
        if event == "call" and "/sonde/probe/" in frame.f_code.co_filename:
            ours.append(frame.f_code.co_qualname)

    def wanted(name):
        sys.setprofile(called)
        try:
            with pytest.raises(ImportError):
                importlib.import_module(name)
        finally:
            sys.setprofile(None)

    wanted("nobody_has_this")
    wanted("nobody_has_this.either")
    assert ours == []
    wanted("shoplib.nothing")
    assert ours != []


def test_a_library_imported_before_the_start_is_wrapped_too(shop):
    import shoplib.core

    shop().start()

    assert shoplib.core.Basket().add("tea") == ("added", "tea")
    assert calls == ["Basket.add"]


def test_the_module_keeps_its_own_spec_and_loader(shop):
    shop().start()

    import shoplib.core

    assert shoplib.core.__loader__ is shoplib.core.__spec__.loader
    assert "exec_module" not in vars(shoplib.core.__loader__)
    assert inspect.getsource(shoplib.core.Basket).startswith("class Basket")


def test_a_wrapped_function_looks_and_pickles_like_itself(shop):
    shop().start()
    from shoplib import core

    assert str(inspect.signature(core.price)) == "(item, *, discount: float = 0.0) -> float"
    assert (core.price.__name__, core.price.__module__, core.price.__doc__) == (
        "price",
        "shoplib.core",
        "What an item costs.",
    )
    assert core.price.owner == "sales"
    assert pickle.loads(pickle.dumps(core.price)) is core.price  # noqa: S301 - our own bytes
    assert inspect.iscoroutinefunction(core.Basket.pay)
    assert core.Basket.named("x") == ("Basket", "x")
    assert core.Small.named("x") == ("Small", "x")
    assert core.Basket.empty() == core.Basket().empty() == "empty"


def test_a_function_with_two_names_and_a_method_that_is_inherited_are_wrapped_once(shop):
    shop().start()
    from shoplib import core

    core.cost("tea")
    core.Small().add("tea")
    assert calls == ["price", "Basket.add"]


def test_an_optional_method_that_is_inherited_is_left_to_whoever_wraps_it_later(shop):
    """The class would keep the plain function otherwise, and hide what is put around that."""
    import shoplib.core

    point = "shoplib.core:Small.add"
    shop({point: counted}, optional={point}).start()
    assert "add" not in vars(shoplib.core.Small)
    shop({"shoplib.core:Basket.add": counted}).start()

    shoplib.core.Small().add("tea")
    assert calls == ["Basket.add"]


def test_stop_puts_back_the_very_functions(shop):
    import shoplib.core as lib

    def everything():
        return {
            (owner.__name__, name): value
            for owner in (lib, lib.Basket, lib.Small)
            for name, value in vars(owner).items()
            if not name.startswith("__")
        }

    before = everything()
    engine = shop()
    engine.start()
    assert everything() != before
    engine.stop()

    after = everything()
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)


def test_starting_twice_wraps_once(shop):
    import shoplib.core as lib

    engine = shop()
    engine.start()
    engine.start()
    lib.price("tea")

    assert calls == ["price"]


def test_somebody_elses_wrapper_around_ours_stays(shop):
    import shoplib.core as lib

    engine = shop()
    engine.start()
    ours = lib.price
    lib.price = lambda item: ("theirs", ours(item))
    engine.stop()

    assert lib.price("tea") == ("theirs", 10.0)


def test_an_unknown_version_range_is_refused_with_the_reason(shop):
    engine = shop(supports=">=2")
    engine.start()
    import shoplib.core as lib

    lib.price("tea")
    assert calls == []
    assert status(engine).state == "refused"
    assert status(engine).reason == "shoplib 1.2 is not among >=2"


def test_a_missing_point_takes_back_the_whole_plugin(shop):
    engine = shop({"shoplib.core:price": counted, "shoplib.core:Basket.gone": counted})
    engine.start()
    import shoplib.core as lib

    lib.price("tea")
    assert calls == []
    assert status(engine).state == "refused"
    assert status(engine).reason == "shoplib.core has no Basket.gone"


def test_an_optional_point_may_be_missing(shop):
    points = {"shoplib.core:price": counted, "shoplib.core:Basket.gone": counted}
    engine = shop(points, optional=["shoplib.core:Basket.gone"])
    engine.start()
    import shoplib.core as lib

    lib.price("tea")
    assert calls == ["price"]
    assert status(engine).points == {"shoplib.core:price": "active", "shoplib.core:Basket.gone": "waiting"}


def test_a_plugin_switched_off_by_the_user_touches_nothing(shop):
    engine = shop(off=["shoplib"])
    engine.start()
    import shoplib.core as lib

    lib.price("tea")
    assert calls == []
    assert status(engine).state == "off"


def test_a_wrapper_that_cannot_be_made_is_counted_and_the_import_succeeds(shop):
    def broken(wrapped):
        raise RuntimeError("our fault")

    engine = shop({"shoplib.core:price": broken})
    engine.start()
    import shoplib.core as lib

    assert lib.price("tea") == 10.0
    assert status(engine).state == "refused"
    assert guard.faults()["plugins.shoplib"].times == 1


def test_an_error_at_import_is_the_users_and_passes(shop, tmp_path):
    (tmp_path / "shoplib" / "core.py").write_text("raise LookupError('theirs')")
    engine = shop()
    engine.start()

    with pytest.raises(LookupError, match="theirs"):
        import shoplib.core  # noqa: F401
    assert guard.faults() == {}


def test_a_warning_at_import_names_the_line_that_imports(shop, tmp_path):
    """As without us: who turns warnings of his own modules into errors does not get others'."""
    (tmp_path / "shoplib" / "core.py").write_text("import warnings; warnings.warn('old', stacklevel=2)")
    shop().start()

    with pytest.warns(UserWarning, match="old") as caught:
        import shoplib.core  # noqa: F401

    assert caught[0].filename == __file__


def test_the_traceback_of_an_error_at_import_is_without_us(shop, tmp_path):
    (tmp_path / "shoplib" / "core.py").write_text("raise LookupError('theirs')")
    shop().start()

    with pytest.raises(LookupError) as caught:
        import shoplib.core  # noqa: F401

    files = [frame.path.name for frame in caught.traceback]
    assert files == ["test_plugins_engine.py", "core.py"]


def test_a_plugin_does_not_import_its_own_library():
    """It is loaded in the middle of that import: importing it again would run the library twice."""
    code = """
        import importlib, sys
        from sonde.probe.plugins import REGISTRY
        # What plugins may share with the standard library's own users.
        import asyncio, http
        for package, names in REGISTRY.items():
            had = set(sys.modules)
            for name in names:
                importlib.import_module(f"sonde.probe.plugins.{name}")
            new = {module.partition(".")[0] for module in set(sys.modules) - had}
            assert package not in new, (package, new)
        assert "http.client" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize(
    "package",
    [
        "sqlite3",
        "http.client",
        "urllib3",
        "redis",
        "flask",
        "fastapi",
        "httpcore",
        "uvicorn",
        "aiomysql",
        "aiosqlite",
        "asyncpg",
        "psycopg",
        "psycopg2",
        "pymysql",
        "sqlalchemy",
    ],
)
def test_the_first_import_of_a_library_finds_its_plugin(package):
    """In a fresh process, where nothing of it was imported before the probe."""
    code = f"""
        import sys
        from sonde.probe import guard
        guard.raised = True
        from sonde.probe.plugins.engine import Engine
        engine = Engine(); engine.start()
        import {package}
        wanted = {{"http.client": "http_client"}}.get("{package}", "{package}")
        found = {{status.name: status for status in engine.status()}}[wanted]
        assert found.state == "active", found
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


def test_every_plugin_says_what_it_records():
    for names in REGISTRY.values():
        for name in names:
            module = __import__(f"sonde.probe.plugins.{name}", fromlist=["PLUGIN"])
            assert module.__doc__
            assert "record" in module.__doc__ or "see `" in module.__doc__, name
