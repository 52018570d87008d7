"""Backups of the warehouse's database, with Dagster's own tables in it, and the way back from them.

A backup is a folder: what pg_dump wrote, what is needed beside it, a manifest, and a checksum of each of these files.
It is made under another name and gets its own when it is whole, so that what was killed is never taken for a backup.
A restore loads it into a new database, compares each table with the manifest, and only then takes the old one's name.
"""
