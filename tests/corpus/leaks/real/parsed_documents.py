"""Parsed documents are kept by number."""

import json

documents = {}
TEXT = '{"lines": [{"sku": "a", "price": 1.5}, {"sku": "b", "price": 2.5}]}'


def handler(i):
    documents[i] = json.loads(TEXT)  # leak: dict list
