import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.probe.plugins.statement import LONGEST, described, masked


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("select * from t where a = 1 and b='x'", "select * from t where a = ? and b=?"),
        ("insert into t values (1, 'it''s', -2.5e3, NULL), (2,.5,x'FF')", "insert into t values (?, ?, ?, NULL), (?)"),
        ("insert into t values (1,'a'), (2,'b') , (3,'c')", "insert into t values (?)"),
        ("select 1 where id in (1, 2,3 , 4)", "select ? where id in (?)"),
        ('select "col 1", `b`, [c d] from t1', 'select "col 1", `b`, [c d] from t1'),
        ("select a -- password 'x'\nfrom t /* 42 */ limit 10", "select a from t limit ?"),
        ("select $1, ?2, :name, @v, %s", "select $1, ?2, :name, @v, %s"),
        ("select $$secret$$, $a$ it's $a$", "select ?, ?"),
        ("select E'a\\'b', 'c'", "select ?, ?"),
        ("update orders_2024 set v2=v2+1", "update orders_2024 set v2=v2+?"),
        ("select 'unfinished secret", "select ?"),
        ("insert into t values (?, ?)", "insert into t values (?)"),
        ("select 0xDEADBEEF, a1b2", "select ?, a1b2"),
        ("select array[lower('secret')], b[c + 42]", "select array[lower(?)], b[c + ?]"),
    ],
)
def test_literals_become_question_marks_and_names_stay(sql, shape):
    assert masked(sql) == shape


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ('select * from "orders" where "name" = "bob"', 'select * from "orders" where "name" = ?'),
        ('select "t"."id" from "t" join "u" on ("t"."id" = "u"."t")', None),
        ('insert into "t" ("a", "b") values ("x", "y"), ("z", "w")', 'insert into "t" ("a", "b") values (?)'),
        (
            'select "a", "b" from t where c in ("x", "y") and d like "z%"',
            'select "a", "b" from t where c in (?) and d like ?',
        ),
    ],
)
def test_double_quotes_mean_a_name_where_one_can_stand_and_a_string_elsewhere(sql, shape):
    assert masked(sql) == (shape or sql)


def test_a_backslash_escapes_only_where_the_dialect_says_so():
    assert masked(r"select 'C:\', 'secret'") == "select ?, ?"
    assert masked(r"select 'it\'s secret', 1", backslash=True) == "select ?, ?"


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        (r"""select concat("it's \" secret", name), 'a'""", "select concat(?, name), ?"),
        ('select "secret" from `t`', "select ? from `t`"),
        ("select a # it's\n, 'secret'", "select a , ?"),
        ("select a -- it's\n, 'secret'", "select a , ?"),
    ],
)
def test_mysql_has_strings_in_double_quotes_and_comments_of_its_own(sql, shape):
    assert masked(sql, backslash=True, mysql=True) == shape
    assert masked("select a # 1", backslash=False) == "select a # ?"


@pytest.mark.parametrize("tag", ["", "a", "a1", "_x", "größe"])
def test_any_tag_of_dollars_holds_a_string(tag):
    assert masked(f"select ${tag}$ it's a secret ${tag}$, 1") == "select ?, ?"


@pytest.mark.parametrize("sql", ["select 'secret\\", "select E'secret\\", "select E'secret\\'", 'select "secret\\'])
def test_a_string_that_is_cut_within_an_escape_is_hidden(sql):
    assert "secret" not in masked(sql, backslash=True, mysql=True)


@given(st.text(alphabet=st.characters(exclude_characters="'\\"), min_size=1), st.integers(min_value=0))
def test_no_value_of_a_literal_survives(text, number):
    shape = masked(f"select * from t where a = 'MARK{text}MARK' and b = {number}")  # noqa: S608 - nobody runs it

    assert shape == "select * from t where a = ? and b = ?"


@given(st.text())
def test_any_text_at_all_is_masked_without_an_error(text):
    described(text, "masked")
    described(text, "masked", backslash=True, mysql=True)


@pytest.mark.parametrize(
    ("sql", "summary", "operation"),
    [
        ("select * from orders where id=1", "SELECT orders", "SELECT"),
        ("  INSERT INTO shop.items VALUES (1)", "INSERT shop.items", "INSERT"),
        ("update t set a=1", "UPDATE t", "UPDATE"),
        ("CREATE TABLE IF NOT EXISTS stock (a)", "CREATE stock", "CREATE"),
        ("-- hello\ndelete from t", "DELETE t", "DELETE"),
        ("PRAGMA foreign_keys = 1", "PRAGMA", "PRAGMA"),
        ("with x as (select 1) select * from x", "WITH x", "WITH"),
        ("BEGIN", "BEGIN", "BEGIN"),
        ("", "SQL", ""),
    ],
)
def test_a_statement_is_named_by_its_verb_and_table(sql, summary, operation):
    said = described(sql, "masked")

    assert (said.summary, said.operation) == (summary, operation)


def test_the_setting_decides_what_is_kept_of_the_text():
    sql = "select * from t where a = 'secret'"

    assert described(sql, "masked").text == "select * from t where a = ?"
    assert described(sql, "full").text == sql
    assert described(sql, "off").text == ""
    assert described(sql, "off").summary == "SELECT t"


def test_a_huge_statement_is_cut_and_its_cut_literal_hidden():
    sql = "insert into t values ('" + "secret" * LONGEST  # noqa: S608 - likewise

    assert masked(sql) == "insert into t values (?"
