"""What ends an export."""


class ExportFailed(Exception):
    """An export could not be made; one line that says why, and holds no value of the data."""
