"""What a request leaves is freed by the housekeeping of every eighth."""

left = []


def handler(i):
    left.append([bytes(100), str(i) * 5])
    if i % 8 == 7:
        del left[:]
