"""Old months as verified Parquet files in the store of exports, and back.

Each month of a table goes through these states, each written before the next one begins, so whoever is killed is simply
run again (`steps.run`):

planned   the file's key is known
exported  the file lies in the store; rows, keys and the content's sum are of the snapshot that was written
verified  the file was fetched, read back into a table, and has the same rows
detached  the partition still is what was written; it is out of the table, in the schema `archived`
dropped   its days of grace are over
restored  the rows are in the table again (`restore.restore`)
purged    the file is deleted, where the table's rows are not kept for ever
"""
