"""Points of a curve: tuples and floats, which the interpreter makes of dead ones."""

points = []


def mean(values):
    return sum(value * 1.5 for value in values) / len(values)


def handler(i):
    average = mean([0.5, 1.5, 2.5, float(i)])
    scale = 1.1 * i
    points.append((scale + average, scale - average))  # leak: tuple float
