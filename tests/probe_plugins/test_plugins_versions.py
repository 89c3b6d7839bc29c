import pytest

from sonde.probe.plugins.versions import installed_version, key, supported


@pytest.mark.parametrize(
    ("version", "supports", "answer"),
    [
        ("4.2", ">=4.2,<9", True),
        ("4.2.0", ">=4.2,<9", True),
        ("4.10", ">=4.2,<9", True),
        ("4.1.9", ">=4.2,<9", False),
        ("8.99.1.post3", ">=4.2,<9", True),
        ("9", ">=4.2,<9", False),
        ("9.0.0rc1", ">=4.2,<9", False),
        ("4.2rc1", ">=4.2", False),
        ("1.0", "", True),
        ("2.0+local.7", "==2.0", True),
        ("v1.3", ">=1", True),
        ("1!2.0", ">=1,<3", True),
        ("3.2.dev4", "<3.2", False),
        ("1.0", "!=1.0", False),
    ],
)
def test_a_version_is_in_a_range_or_not(version, supports, answer):
    assert supported(version, supports) is answer


def test_what_is_no_version_is_an_error_that_names_it():
    with pytest.raises(ValueError, match="'banana' is no version"):
        key("banana")
    with pytest.raises(ValueError, match="'~1' is no version clause"):
        supported("1.0", "~1")


def test_a_library_may_come_by_several_names():
    assert installed_version("psycopg2-of-nobody", "pytest") == pytest.__version__
    assert installed_version("psycopg2-of-nobody", "nor-by-this") == ""
