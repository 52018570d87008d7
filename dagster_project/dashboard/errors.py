"""What the dashboard cannot do; the text is one line for whoever asked."""


class DashboardFailed(Exception):
    """A page cannot be shown now, or a site cannot be written."""


class NoSuchPage(DashboardFailed):
    """What was asked for is not there: a page, a week, an agent."""
