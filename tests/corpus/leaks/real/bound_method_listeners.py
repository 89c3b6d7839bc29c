"""An emitter keeps bound methods, which keep their sessions."""


class Emitter:
    def __init__(self):
        self.listeners = []

    def on(self, listener):
        self.listeners.append(listener)  # part of it


class Session:
    def __init__(self, i):
        self.i = i
        self.data = "x" * 500 + str(i)  # leak: str

    def closed(self):
        return self.i


emitter = Emitter()


def handler(i):
    session = Session(i)  # leak: Session
    emitter.on(session.closed)  # leak: method
