"""A B2Chat on this machine: the export API over real HTTP, with made or replayed data.

`server.running` and `server.serve` start it, over a source: `generator.GeneratedSource` makes an account up,
`replay.ReplaySource` serves exported files. It imports nothing of the rest of the project but what sandboxes share
(`sources/invented_*.py`).
"""
