"""`{service:anytext}` in an address: names that others gave, with slashes, line ends and whatever else is in them."""

from starlette.convertors import Convertor, register_url_convertor


class AnyText(Convertor[str]):
    """At least one character of any kind; Starlette's own `path` ends at the first line."""

    regex = r"[\s\S]+"

    def convert(self, value: str) -> str:
        """The name itself."""
        return value

    def to_string(self, value: str) -> str:
        """The name itself."""
        return value


register_url_convertor("anytext", AnyText())
