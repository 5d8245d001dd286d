"""What may befall one exchange, told apart by the only thing that matters: could the request have arrived?"""


class ExchangeFailed(Exception):
    """No whole reply came; `sent` says whether the request may have reached the service."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.sent = sent
