"""Live evaluation on a real store: states that are kept, who is told, and every fault that may come between."""

from datetime import timedelta

import pytest
from making import at, document, spans
from sqlalchemy import select

from sonde import settings
from sonde.server.accounts import tables
from sonde.server.accounts.app_settings import AppSettings
from sonde.server.accounts.database import writing
from sonde.server.accounts.name_rules import Wish
from sonde.server.alarms.alarms import Alarms
from sonde.server.alarms.errors import LostLeaseError
from sonde.server.alarms.history import IntervalFilter
from sonde.server.alarms.telling import loaded
from sonde.server.reports.alarms import AlarmNotifierDocument
from sonde.server.store.client import StoreClient

DELAY_S = 15
SLOT_S = 30


@pytest.fixture
def make_alarms(accounts, web, loader, clock):
    """Those of one web process; a second call is a second process on the same databases."""
    made = []

    def make(reader=web, **said):
        values = settings.Settings({"alarm_delay_s": DELAY_S, "alarm_local_targets": True} | said, environ={})
        made.append(
            Alarms(
                accounts.engine,
                accounts.sealer,
                reader,
                loader,
                values,
                behind_s=lambda: made[0].waiting_s,
                now=lambda: clock.now,
                seconds=lambda: clock.seconds,
            )
        )
        made[-1].waiting_s = 0.0
        return made[-1]

    yield make
    for alarms in made:
        alarms.close()


@pytest.fixture
def alarms(make_alarms, app):
    """With a notifier `ops` and a first round behind them."""
    made = make_alarms()
    made.notifiers.add(
        app, AlarmNotifierDocument(name="ops", kind="webhook", url="http://127.0.0.1:1/", group_s=0), "t"
    )
    made.evaluate_once()
    return made


class Scene:
    """Slots that go by, one after the other, with what is sent in each."""

    def __init__(self, alarms, sender, clock, app):
        self.alarms, self.sender, self.clock, self.app = alarms, sender, clock, app
        self.slot_s = int(clock.now.timestamp())
        clock.pass_by(DELAY_S + 1)
        alarms.evaluate_once()

    def send(self, *errors, service="shop", ms=10):
        """Four requests in each slot to come, so many of which fail; None: no requests. One load for all of them."""
        sent = []
        for number, failed in enumerate(errors):
            if failed is not None:
                sent += spans(self.slot_s + number * SLOT_S + 3, 4, errors=failed, ms=ms)
        self.sender.spans(service, *sent, received=at(self.slot_s + len(errors) * SLOT_S))

    def slot(self):
        """The next slot is over, and judged; the states."""
        self.slot_s += SLOT_S
        self.clock.pass_by(SLOT_S)
        self.alarms.evaluate_once()
        return self.states()

    def states(self):
        return {tuple(alarm.group.values()): alarm.state for alarm in self.alarms.history.current([self.app])}

    def told(self):
        """What was put into the queue: event and rule, in order."""
        return [(told.event, told.rule, told.ended_by) for told in self.messages()]

    def messages(self):
        """The same, with all that is told."""
        columns = tables.alarm_deliveries.c
        query = select(columns.message).where(columns.app_id == self.app).order_by(columns.created_at, columns.id)
        with self.alarms.history._engine.connect() as connection:
            messages = connection.execute(query).scalars().all()
        return [told for message in messages for told in loaded(message)]

    def intervals(self):
        return self.alarms.history.intervals(IntervalFilter([self.app]), 100, None)[0]


@pytest.fixture
def scene(alarms, sender, clock, app):
    return Scene(alarms, sender, clock, app)


def test_it_fires_is_told_recovers_and_is_told_again(scene, alarms, app, web):
    alarms.rules.add(app, document(window_s=30, notify=["ops"], condition={"for_s": 30}), "test")

    scene.send(0, 2, 4, 0)
    assert scene.slot() == {}
    assert scene.slot() == {(): "pending"}
    assert scene.told() == []
    assert scene.slot() == {(): "firing"}
    (alarm,) = alarms.history.current([app])
    assert (alarm.value, alarm.threshold, alarm.peak, alarm.breached_s) == (1.0, 0.1, 1.0, 30)
    assert alarm.recent == [0.5, 1.0]
    assert scene.slot() == {}

    assert scene.told() == [("fired", "Rule", None), ("recovered", "Rule", "recovered")]
    (interval,) = scene.intervals()
    assert interval.id == alarm.id
    assert (interval.ended_at - interval.started_at).total_seconds() == SLOT_S
    assert (interval.peak, interval.told, interval.ended_by) == (1.0, True, "recovered")
    rows = web.rows(
        "SELECT title, attributes['alarm.event'], service FROM events"
        " WHERE app = {app:String} AND kind = 'alarm' ORDER BY time",
        {"app": app},
    )
    assert rows == [("Rule", "fired", "shop"), ("Rule", "recovered", "shop")]


def test_what_goes_on_is_told_again_until_somebody_looks_after_it(scene, alarms, make_alarms, app, clock):
    alarms.rules.add(app, document(window_s=30, notify=["ops"], remind_s=300), "test")
    alarms.rules.add(app, document("Once", window_s=30, notify=["ops"], remind_s=0), "test")
    scene.send(*[1] * 45)

    def told():
        return [(it.rule, it.event, it.reminder) for it in scene.messages()]

    for _ in range(10):
        scene.slot()
    first = [("Once", "fired", False), ("Rule", "fired", False)]
    assert sorted(told()) == first
    scene.slot()
    assert sorted(told()) == [*first, ("Rule", "fired", True)]
    scene.alarms.close()
    scene.alarms = make_alarms()  # a restart knows when it was told
    for _ in range(10):
        scene.slot()
    assert told().count(("Rule", "fired", True)) == 2

    (alarm,) = [it for it in scene.intervals() if it.rule == "Rule"]
    scene.alarms.history.acknowledge(alarm, "is being mended", "user:ada")
    for _ in range(12):
        scene.slot()
    assert told().count(("Rule", "fired", True)) == 2


def test_groups_fire_one_by_one_and_come_in_one_message(scene, alarms, app, clock):
    alarms.rules.add(
        app,
        document(
            window_s=30, notify=["ops"], group_by=["service"], what={"kind": "statistic", "statistic": "error_rate"}
        ),
        "test",
    )
    scene.send(4, 4)
    scene.send(4, 0, service="bank")

    assert scene.slot() == {("bank",): "firing", ("shop",): "firing"}
    assert scene.slot() == {("shop",): "firing"}
    assert [event for event, _, _ in scene.told()] == ["fired", "fired", "recovered"]


def test_a_restart_goes_on_where_it_was(scene, make_alarms, alarms, app, clock):
    alarms.rules.add(app, document(window_s=30, notify=["ops"], condition={"for_s": 60}), "test")
    scene.send(1, 1, 1)
    assert scene.slot() == {(): "pending"}
    assert scene.slot() == {(): "pending"}
    alarms.close()

    scene.alarms = make_alarms()

    assert scene.slot() == {(): "firing"}
    assert scene.told() == [("fired", "Rule", None)]


def test_of_two_evaluators_one_evaluates_and_the_other_takes_over(scene, make_alarms, alarms, app, clock):
    alarms.rules.add(app, document(window_s=30, notify=["ops"]), "test")
    other = make_alarms()
    other.evaluate_once()
    scene.send(1, 1, 0, 0)
    assert scene.slot() == {(): "firing"}
    other.evaluate_once()
    assert (alarms.evaluator.slots > 0, other.evaluator.slots) == (True, 0)
    assert scene.told() == [("fired", "Rule", None)]

    clock.pass_by(120)  # the first one hangs
    other.evaluate_once()

    assert other.evaluator.slots > 0
    assert alarms.progress().holder == other.lease._holder
    with pytest.raises(LostLeaseError), writing(alarms.history._engine) as connection:
        alarms.lease.check(connection)
    before = scene.told()
    alarms.evaluate_once()
    alarms.send_once()
    assert scene.told() == before, "whoever lost the lease writes nothing"
    assert before[0] == ("fired", "Rule", None)
    assert [event for event, _, _ in before].count("fired") == 1


def test_a_holder_that_hangs_in_the_middle_of_a_slot_writes_nothing_of_it(scene, make_alarms, alarms, app, clock):
    alarms.rules.add(app, document(window_s=30, notify=["ops"]), "test")
    other = make_alarms()
    scene.send(4)
    clock.pass_by(SLOT_S)
    judge = alarms.evaluator._judge

    def hang(rules, end_s):
        slot = judge(rules, end_s)
        clock.pass_by(61)
        other.evaluate_once()
        return slot

    alarms.evaluator._judge = hang
    with pytest.raises(LostLeaseError):
        alarms.evaluator.round()

    assert scene.told().count(("fired", "Rule", None)) == 1
    assert len(scene.intervals()) == 1


def test_while_the_store_is_away_nothing_is_judged_and_afterwards_nothing_is_missed(
    scene, make_alarms, alarms, app, clock, tmp_path
):
    silent = document(
        "Silent",
        what={"kind": "no_data", "signal": "requests", "service": "shop"},
        condition={"threshold": 60},
        notify=["ops"],
    )
    alarms.rules.add(app, silent, "test")
    alarms.rules.add(app, document(window_s=30, notify=["ops"]), "test")
    scene.send(0, 0, 0, 0, 0, 3)
    scene.slot()
    alarms.close()
    reader = StoreClient.embedded(tmp_path / "nowhere", "web")
    away = scene.alarms = make_alarms(reader)

    for _ in range(4):
        assert scene.slot() == {}
    assert "does not answer" in away.progress().trouble
    assert away.evaluator.slots == 0
    assert away.behind_s(away.progress().evaluated_until) > 60
    assert scene.slot() == {}
    away.close()
    back = scene.alarms = make_alarms()
    back.evaluate_once()

    assert scene.states() == {(): "firing"}, "the slot with errors was made up for"
    assert scene.told() == [("fired", "Rule", None)], "and nobody was missed"
    assert back.progress().trouble == ""
    assert back.evaluator.slots == 5


def test_data_that_wait_to_be_loaded_are_waited_for(scene, alarms, app, clock):
    alarms.rules.add(
        app,
        document(
            "Silent", what={"kind": "no_data", "signal": "requests", "service": "shop"}, condition={"threshold": 60}
        ),
        "test",
    )
    scene.send(0)
    scene.slot()
    for _ in range(5):
        alarms.waiting_s += SLOT_S  # nothing is loaded
        assert scene.slot() == {}
    scene.slot_s -= 5 * SLOT_S
    scene.send(0, 0, 0, 0, 0, 0)
    scene.slot_s += 5 * SLOT_S
    alarms.waiting_s = 0.0

    assert [scene.slot() for _ in range(3)] == [{}, {}, {}]
    assert scene.slot() == {(): "firing"}, "now there is none"


def test_a_clock_that_jumps_ages_no_alarm(scene, alarms, app, clock):
    alarms.rules.add(app, document(window_s=30, condition={"for_s": 300}), "test")
    scene.send(1, 1)
    assert scene.slot() == {(): "pending"}

    clock.now += timedelta(hours=2)  # and the steady clock does not
    alarms.evaluate_once()
    assert scene.states() == {(): "pending"}
    assert alarms.evaluator.missed_slots == 240
    clock.now -= timedelta(hours=2)
    alarms.evaluate_once()

    scene.slot_s = int(clock.now.timestamp()) - DELAY_S - 1
    assert scene.slot() == {(): "pending"}
    (alarm,) = alarms.history.current([app])
    assert alarm.breached_s == 30


def test_a_long_break_is_not_made_up_for(scene, alarms, app, clock):
    alarms.rules.add(app, document(), "test")
    clock.pass_by(3600)

    alarms.evaluate_once()

    assert alarms.evaluator.missed_slots == 100
    assert alarms.progress().missed_slots == 100


def test_a_rule_that_goes_while_it_fires_is_over(scene, alarms, app):
    rule = alarms.rules.add(app, document(window_s=30, notify=["ops"]), "test")
    scene.send(1, 1)
    scene.slot()

    assert alarms.rules.remove(rule.id, "test")

    assert scene.slot() == {}
    assert sorted(scene.told()) == [("fired", "Rule", None), ("recovered", "Rule", "rule_deleted")], (
        "in any order: one moment"
    )
    assert scene.intervals()[0].ended_by == "rule_deleted"


def test_a_rule_that_means_something_else_begins_anew_and_one_with_other_words_goes_on(scene, alarms, app):
    rule = alarms.rules.add(app, document(window_s=30, notify=["ops"]), "test")
    scene.send(1, 1, 1, 4)
    scene.slot()

    alarms.rules.change(rule.id, document(window_s=30, notify=["ops"], severity="critical"), "test")
    assert scene.slot() == {(): "firing"}
    alarms.rules.change(rule.id, document(window_s=30, notify=["ops"], condition={"threshold": 0.9}), "test")
    assert scene.slot() == {}
    alarms.rules.change(rule.id, document(enabled=False), "test")
    assert scene.slot() == {}

    assert scene.told() == [("fired", "Rule", None), ("recovered", "Rule", "rule_changed")]


def test_while_what_it_depends_on_fires_nobody_is_told(scene, alarms, app):
    alarms.rules.add(app, document("Errors", window_s=30, notify=["ops"]), "test")
    slow = document(
        "Slow",
        window_s=30,
        notify=["ops"],
        depends_on="Errors",
        what={"kind": "statistic", "statistic": "max_ms", "service": "shop"},
        condition={"threshold": 100},
    )
    alarms.rules.add(app, slow, "test")

    scene.send(1, 0, ms=500)
    scene.slot()
    assert {alarm.rule: alarm.state for alarm in alarms.history.current([app])} == {
        "Errors": "firing",
        "Slow": "suppressed",
    }
    assert scene.told() == [("fired", "Errors", None)]
    scene.slot()
    assert sorted(scene.told()) == [
        ("fired", "Errors", None),
        ("fired", "Slow", None),
        ("recovered", "Errors", "recovered"),
    ]


def test_a_silence_keeps_quiet_what_it_names_until_it_ends(scene, alarms, app, clock):
    alarms.rules.add(
        app,
        document(
            window_s=30, notify=["ops"], group_by=["service"], what={"kind": "statistic", "statistic": "error_rate"}
        ),
        "test",
    )
    ends_at = clock.now + timedelta(seconds=SLOT_S * 2)
    alarms.silences.add(app, "", {"service": "sh*"}, None, ends_at, "deploying", "test")

    scene.send(1, 1, 1)
    assert scene.slot() == {("shop",): "suppressed"}
    assert scene.slot() == {("shop",): "suppressed"}
    assert scene.told() == []
    assert scene.slot() == {("shop",): "firing"}
    assert scene.told() == [("fired", "Rule", None)]


def test_a_group_that_nobody_sends_any_more_is_forgotten(scene, alarms, app):
    alarms.rules.add(
        app,
        document(
            window_s=30, notify=["ops"], group_by=["service"], what={"kind": "statistic", "statistic": "error_rate"}
        ),
        "test",
    )
    scene.send(1)
    scene.slot()

    states = [scene.slot() for _ in range(41)]

    assert states[39] == {("shop",): "firing"}
    assert states[40] == {}
    assert scene.told()[-1] == ("recovered", "Rule", "forgotten")


def test_rules_are_about_names_as_they_are_shown_and_a_new_name_is_no_silence(scene, alarms, accounts, app, clock):
    def traffic(name, statistic, **condition):
        what = {"kind": "statistic", "statistic": statistic}
        alarms.rules.add(app, document(name, what=what, window_s=30, group_by=["service"], condition=condition), "t")

    traffic("fails", "error_rate")
    traffic("stands still", "requests", op="<", threshold=1)
    silent = {"kind": "no_data", "signal": "requests"}
    alarms.rules.add(app, document("silent", what=silent, group_by=["service"], condition={"threshold": 60}), "t")
    scene.send(1, 1, 1, 1, 1, 1, service="www")
    assert scene.slot() == {("www",): "firing"}

    alias = accounts.name_rules.add(app, Wish("alias", service="www", name="site"), "t")
    clock.pass_by(2)
    after = [scene.slot() for _ in range(3)]

    assert after == [{("site",): "firing"}] * 3
    assert [(it.rule, it.group["service"], it.ended_by) for it in scene.intervals() if it.ended_at] == [
        ("fails", "www", "forgotten")
    ]
    accounts.name_rules.drop(app, alias.id, "t")
    clock.pass_by(2)
    assert [scene.slot() for _ in range(2)] == [{("www",): "firing"}] * 2


def test_apdex_is_judged_by_the_threshold_of_the_app(scene, alarms, accounts, app, clock):
    what = {"kind": "statistic", "statistic": "apdex"}
    alarms.rules.add(app, document(what=what, window_s=30, condition={"op": "<", "threshold": 0.9}), "t")
    scene.send(0, 0, ms=300)
    assert scene.slot() == {}

    accounts.app_settings.say(app, AppSettings(apdex_t_ms=100), "t")
    clock.pass_by(2)
    assert scene.slot() == {(): "firing"}
    (alarm,) = alarms.history.current([app])
    assert alarm.value == 0.5


def test_a_rule_whose_query_cannot_be_computed_says_so_and_harms_no_other(scene, alarms, app):
    alarms.rules.add(app, document(window_s=30), "test")
    what = {"kind": "promql", "query": "max_over_time(up[5m:1m])"}
    alarms.rules.add(app, document("Odd", what=what, condition={"threshold": 1}), "test")

    scene.send(1)
    assert scene.slot() == {(): "firing"}
    problems = {it.rule.document.name: it.problem for it in alarms.rules.statuses([app])}
    assert problems["Rule"] == ""
    assert problems["Odd"]


def test_what_is_well_has_no_row(scene, alarms, app):
    alarms.rules.add(
        app, document(window_s=30, group_by=["service"], what={"kind": "statistic", "statistic": "error_rate"}), "test"
    )
    scene.send(1, *[0] * 21)
    for _ in range(22):
        scene.slot()

    with alarms.history._engine.connect() as connection:
        assert connection.execute(select(tables.alarm_states)).all() == []
