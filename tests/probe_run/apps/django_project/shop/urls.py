"""Views that answer with the process id, after one query."""

import os
import sqlite3

from django.http import HttpResponse
from django.urls import include, path


def index(_request):
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()
    return HttpResponse(str(os.getpid()))


def order(_request, pk):
    return HttpResponse(str(pk))


urlpatterns = [
    path("", index),
    path("shop/", include(([path("orders/<int:pk>/", order)], "shop"), namespace="eu")),
]
