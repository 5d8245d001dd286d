"""Send a plan and follow its pages. Nothing is sent twice; the token goes only where it is bound to."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from skill.connection import may_sign
from skill.faults import BadInput
from skill.plan import body_bytes
from skill.types import Credential, Exchange, Plan, Reply, Request, Service

MOST_REDIRECTS = 5
SAME_METHOD = (307, 308)


def send(plan: Plan, service: Service, credential: Credential | None, exchange: Exchange, timeout_s: float) -> Iterator[Reply]:
    """Send a plan, and go on to the next page for as long as the service names one and the caller asks.

    Yields:
        One reply a page; the first failed one is the last.

    Raises:
        ExchangeFailed: no reply came.
        BadInput: the plan's host must not get the credential.
    """
    request = _request(plan, service, credential, timeout_s)
    seen: set[str] = set()
    while True:
        reply = _follow(exchange(request), request, exchange)
        yield reply
        span = reply.headers.get("next-range", "")
        # a range named before would go round for ever
        if reply.status >= 300 or plan.method != "GET" or not span or span in seen:
            return
        seen.add(span)
        request = replace(request, headers={**request.headers, "Range": span})


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


def _follow(reply: Reply, request: Request, exchange: Exchange) -> Reply:
    """Follow redirects: a read anywhere, a write only within its host where the status keeps method and body."""
    for _ in range(MOST_REDIRECTS):
        target = reply.headers.get("location", "")
        if reply.status not in (301, 302, 303, *SAME_METHOD) or not target:
            return reply
        url = urljoin(request.url, target)
        same_host = urlsplit(url)[:2] == urlsplit(request.url)[:2]
        if request.method not in ("GET", "HEAD") and not (same_host and reply.status in SAME_METHOD):
            return reply
        kept = {name: value for name, value in request.headers.items() if same_host or name == "Accept"}
        if not same_host and urlsplit(url).scheme != "https":
            return reply
        request = replace(request, url=url, headers=kept)
        reply = exchange(request)
    return reply
