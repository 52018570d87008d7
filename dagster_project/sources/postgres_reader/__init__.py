"""Reads the tables of another Postgres: what is new in them since the last time, copied as it is.

A source that lies in a Postgres (rooms, calls) names its entities and how their rows land (`Copied`, in
`sources/contract.py`); all else is here. docs/rooms.md, "How it is read", says what each way of knowing new rows may
miss.
"""
