"""The page for Prometheus."""

from sonde.server.api.exposition import exposition


def test_samples_of_one_name_stand_together_under_their_type():
    page = exposition(
        [
            ("sonde_a_total", {"signal": "traces"}, 1),
            ("sonde_b", {}, 2.5),
            ("sonde_a_total", {"signal": "logs"}, 3.0),
        ]
    )

    assert page.splitlines() == [
        "# TYPE sonde_a_total counter",
        'sonde_a_total{signal="traces"} 1',
        'sonde_a_total{signal="logs"} 3',
        "# TYPE sonde_b gauge",
        "sonde_b 2.5",
    ]


def test_a_label_cannot_break_out_of_its_quotes():
    page = exposition([("sonde_a", {"name": 'x"} 1\nevil 2\\'}, 1)])

    assert page.splitlines()[1:] == ['sonde_a{name="x\\"} 1\\nevil 2\\\\"} 1']
