"""Sessions that live for ten requests."""

sessions = {}


def handler(i):
    sessions[f"session-{i}"] = {"user": f"user-{i}", "until": i + 10}
    for key in [key for key, session in sessions.items() if session["until"] <= i]:
        del sessions[key]
