"""Notices changed code, so that the next call runs it without a deployment.

The kernel tells of changes; an invocation compares two numbers and costs nothing more.
"""

import logging
import threading
from dataclasses import dataclass

import watchfiles

LOG = logging.getLogger(__name__)
SETTLE_MS = 100
"""An editor writes a file in several steps; changes this close together are one."""


@dataclass
class CodeVersion:
    """Counts the changes under some folders."""

    paths: tuple[str, ...]
    number: int = 0


_versions: dict[tuple[str, ...], CodeVersion] = {}
_lock = threading.Lock()
_regroup = threading.Event()


def version_of(paths: tuple[str, ...]) -> CodeVersion:
    """The running count of changes under `paths`, watched from now on."""
    with _lock:
        version = _versions.get(paths)
        if version is None:
            version = _versions[paths] = CodeVersion(paths)
            if len(_versions) == 1:
                threading.Thread(target=_watch, name="code-watch", daemon=True).start()
            _regroup.set()
        return version


def _watch() -> None:
    while True:
        _regroup.clear()
        with _lock:
            versions = list(_versions.values())
        folders = {path for version in versions for path in version.paths}
        for changes in watchfiles.watch(*folders, stop_event=_regroup, debounce=SETTLE_MS, rust_timeout=1000):
            changed = [path for _, path in changes]
            for version in versions:
                if any(path.startswith(folder + "/") for path in changed for folder in version.paths):
                    version.number += 1
                    LOG.info("code under %s changed", version.paths[0])
