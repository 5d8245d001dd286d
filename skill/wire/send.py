"""Send a plan and follow its pages; the token goes only where it is bound to."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from skill.connection import may_sign
from skill.faults import BadInput, TryLater
from skill.plan import body_bytes
from skill.types import Credential, Plan, Reply, Request, Service
from skill.wire.deliver import Delivery

MOST_REDIRECTS = 5
SAME_METHOD = (307, 308)


def send(plan: Plan, service: Service, credential: Credential | None, deliver: Delivery, timeout_s: float) -> Iterator[Reply]:
    """Send a plan, and go on to the next page for as long as the service names one and the caller asks.

    Args:
        timeout_s: the limit of all pages together in seconds, tries and waits included; what the caller does with a page
            does not count.

    Yields:
        One reply a page; the first failed one is the last.

    Raises:
        ExchangeFailed: no reply came.
        TryLater: there is a next page, and its range is none.
        BadInput: the plan's host must not get the credential.
    """
    request = _request(plan, service, credential, timeout_s)
    deadline = deliver.clock() + timeout_s
    repeatable = plan.risk == "read" or replaces(plan)
    seen: set[str] = set()
    while True:
        reply = _follow(deliver(request, repeatable=repeatable), request, deliver, deadline)
        handed = deliver.clock()
        yield reply
        # a reader that takes its time, such as a pager, costs the service none
        deadline += deliver.clock() - handed
        span = reply.headers.get("next-range", "")
        if reply.status >= 300 or plan.method != "GET" or not span:
            return
        if span in seen:
            raise TryLater("the service names the same page of the list again", code="bad_range")
        if not span.isascii() or not span.isprintable():
            raise TryLater("the service names a next page that cannot be asked for", code="bad_range")
        seen.add(span)
        left_s = deadline - deliver.clock()
        request = replace(request, headers={**request.headers, "Range": span}, timeout_s=left_s)


def replaces(plan: Plan) -> bool:
    """Tell whether a write puts a whole in place of another, so that doing it twice ends as doing it once."""
    return plan.method == "PUT" and plan.risk == "destroy"


def _request(plan: Plan, service: Service, credential: Credential | None, timeout_s: float) -> Request:
    headers = {**plan.headers, "Request-Id": str(uuid.uuid4())}
    if credential is not None and plan.sign_in != "none":
        if not may_sign(service, plan.url):
            raise BadInput(
                f"{urlsplit(plan.url).netloc} is not a host of {service.title}, so the credential is not sent there",
                code="host_not_allowed",
            )
        headers["Authorization"] = _SIGN[plan.sign_in](credential.token)
    return Request(plan.method, plan.url, headers, body_bytes(plan), timeout_s)


def _basic(token: str) -> str:
    from base64 import b64encode

    return "Basic " + b64encode(f":{token}".encode()).decode()


_SIGN: dict[str, Callable[[str], str]] = {"bearer": lambda token: f"Bearer {token}", "basic": _basic}


def _follow(reply: Reply, request: Request, deliver: Delivery, deadline: float) -> Reply:
    """Follow redirects: a read anywhere, a write only within its host where the status keeps method and body."""
    for _ in range(MOST_REDIRECTS):
        target = reply.headers.get("location", "")
        if reply.status not in (301, 302, 303, *SAME_METHOD) or not target:
            return reply
        try:
            url = urljoin(request.url, target)
            same_host = urlsplit(url)[:2] == urlsplit(request.url)[:2]
        except ValueError:
            # what is no address leads nowhere: the redirect itself is the answer
            return reply
        if request.method not in ("GET", "HEAD") and not (same_host and reply.status in SAME_METHOD):
            return reply
        kept = {name: value for name, value in request.headers.items() if same_host or name == "Accept"}
        if not same_host and urlsplit(url).scheme != "https":
            return reply
        request = replace(request, url=url, headers=kept, timeout_s=deadline - deliver.clock())
        reply = deliver(request, repeatable=request.method in ("GET", "HEAD"))
    return reply
