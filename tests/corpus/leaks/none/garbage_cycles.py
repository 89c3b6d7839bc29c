"""Parents and children that know each other."""


class Node:
    def __init__(self, parent=None):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)


def handler(i):
    root = Node()
    for _ in range(20):
        Node(root)
    return len(root.children)
