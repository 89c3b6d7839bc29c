"""The answers of the API as types, a file for each topic: what the store's queries return and the console draws.

Times are aware datetimes (RFC 3339 in JSON), durations are in the unit their name carries, rates are fractions 0…1.
A figure that nobody measured is None, never 0.
"""
