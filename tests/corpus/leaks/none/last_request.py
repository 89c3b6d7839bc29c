"""The last request is kept until the next one."""


class Request:
    def __init__(self, i):
        self.body = "b" * 500 + str(i)


last = None


def handler(i):
    global last
    last = Request(i)
