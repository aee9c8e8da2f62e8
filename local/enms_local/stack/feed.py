"""The demo factory on our own database: loaded once, then fed with a reading a minute."""

import hashlib
from pathlib import Path

from enms_local.stack.cloud import FUNCTIONS_PYTHON
from enms_local.stack.database import DATABASE, own_server
from enms_local.stack.processes import BackgroundProcess, python_environment
from enms_local.stack.settings import StackSettings
from enms_local.stack.steps import Steps

FEED_MODULE = "enms_local.demo.feed"
_DEMO_CODE = Path(__file__).parents[1] / "demo"


def process(settings: StackSettings) -> BackgroundProcess:
    """The feed, running or not."""
    return BackgroundProcess("feed", settings.run_dir, settings.logs_dir / "feed.log")


def ensure_demo(settings: StackSettings, steps: Steps) -> None:
    """Loads the demo factory unless it is there, and keeps its feed running."""
    if settings.enms_demo_days == 0:
        process(settings).stop()
        return
    from enms_local.demo.load import load_once

    url = own_server(settings).url(DATABASE)
    announcement = f"loading {settings.enms_demo_days} days of a reading a minute, once"
    with steps.step("Demo factory", announcement) as step:
        loaded = load_once(url, days=settings.enms_demo_days)
        step.say(f"{settings.enms_demo_days} days loaded" if loaded else "is loaded")
    with steps.step("Feed") as step:
        step.say("started" if _ensure_feed(settings, url) else "runs")


def _ensure_feed(settings: StackSettings, url: str) -> bool:
    """Starts the feed; False when it runs already, with the code that is there now."""
    digest = hashlib.sha256(url.encode())
    for file in sorted(_DEMO_CODE.glob("*.py")):
        digest.update(file.read_bytes())
    feed, fingerprint = process(settings), digest.hexdigest()
    if feed.find_same(fingerprint):
        return False
    feed.stop()
    environment = {**python_environment(), "FEED_DATABASE_URL": url}
    feed.start([str(FUNCTIONS_PYTHON), "-m", FEED_MODULE], environment, fingerprint)
    return True
