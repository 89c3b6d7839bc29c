"""A listener per request, a closure over its data; none is removed."""

listeners = []


def handler(i):  # part of it
    body = bytes(2000)  # leak: bytes

    def changed():  # leak: function
        return len(body)

    listeners.append(changed)  # part of it
    return i
