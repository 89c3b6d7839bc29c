"""What all tests stand on: one first start for all servers, and files that share a server with the same worker."""

from zlib import crc32

from started import first_data

PARTS = {"alarms": 1, "api": 2, "browser": 2, "control": 1, "nodejs": 1}
"""Folders whose tests share a whole server for as long as they run: into how many parts they are cut, each of which has
a server of its own. Of other folders each file is a part.
"""


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the process that starts the others, or the only one
        kept = first_data.kept_for_a_run()
        kept.__enter__()
        config.add_cleanup(lambda: kept.__exit__(None, None, None))


def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadFileScheduling

    class ByPart(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            folder = file.split("/")[-2]
            return f"{folder} {crc32(file.encode()) % PARTS[folder]}" if folder in PARTS else file

    return ByPart(config, log)
