"""What no page may do: complain in the console, fail, or ask anyone but us."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# These come from the page itself.
LOCAL_SCHEMES = ("about", "blob", "data")


class PageWatch:
    """Collects what the pages of a context do wrong.

    What a Content-Security-Policy forbids, and answers of status 400 and above, the console tells.

    Attributes:
        problems: Each as a line of text.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def attach(self, context: BrowserContext) -> None:
        """Begins to watch."""
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)

    def expect(self, pattern: str) -> None:
        """Forgives problems that the pattern is found in: for tests that provoke them."""
        self._expected.append(re.compile(pattern))

    def check(self) -> None:
        """Fails if there was a problem that no test expected."""
        unexpected = [
            problem
            for problem in self.problems
            if not any(pattern.search(problem) for pattern in self._expected)
        ]
        assert not unexpected, "the page did what it may not:\n" + "\n".join(unexpected)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.problems.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self.problems.append(f"uncaught: {error.error}")

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL_SCHEMES and f"{address.scheme}://{address.netloc}" != self.origin:
            self.problems.append(f"request to a foreign origin: {request.url}")
