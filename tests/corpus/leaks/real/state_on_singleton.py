"""The application object keeps each request by id."""


class Application:
    def __init__(self):
        self.requests = {}


class Request:
    __slots__ = ("body", "number")

    def __init__(self, number):
        self.number = number
        self.body = b"b" * 300 + bytes([number % 256])  # leak: bytes


application = Application()


def handler(i):
    application.requests[i] = Request(i)  # leak: Request
