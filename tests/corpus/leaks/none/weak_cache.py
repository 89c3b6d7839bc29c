"""A cache that holds its values weakly."""

import weakref


class Page:
    def __init__(self, i):
        self.text = "t" * 300 + str(i)


pages = weakref.WeakValueDictionary()


def handler(i):
    page = pages[i] = Page(i)
    return len(page.text)
