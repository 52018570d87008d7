"""People's own data: all that is held of one person, handed out or forgotten.

Erasing goes through these states of a request, each written before the next one begins, so whoever is killed is simply
run again (`run.py`):

requested  the person's id is known, and nothing else
erased     nothing of the person is in a table; all of it in one transaction (`rows.py`, `analyses.py`)
stored     nothing is in archives and exports either (`files.py`)
done       tables are built again, vacuumed and searched; the id is forgotten, the counts stay
"""
