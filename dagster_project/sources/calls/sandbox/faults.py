"""Which of the faults of real widgets happen on which day of the firm, and how often the others do."""

# Days, counted from the firm's first one: on those that leave this rest by the divisor.
FORTY_HOURS = (9, 3)  # an agent forgets to sign out; the session ends after 40 hours
LOST_OFFLINE = (6, 2)  # the event that ends a session never comes
WITHOUT_SESSION = (5, 1)  # a status of somebody who is not signed in
SUSPECTED_BOT = (30, 4)  # a visitor that nobody marks as a robot sees a thousand pages
TOKEN_TWICE = (7, 5)  # two calls with one token

# Shares of what could be hit.
TWO_TABS = 0.04  # of sessions: a second one beside the first
LATE_PAGEVIEW = 0.006  # of pageviews: written one to three days later
SKEWED_CLOCK = 0.012  # of answered calls: an end before the answer, or an answer before the call
BOT = 0.02  # of visits
UNKNOWN_COUNTRY = 0.02  # of visits: none, or what is no country's code
WITHOUT_PAGEVIEW = 0.03  # of calls
ORPHANED = 0.02  # of answered calls: the browser was closed, and nobody heard of the end
STATUS_TIE = 0.01  # of calls: two changes of a status in one instant
OUTSIDE_POOL = 0.05  # of calls that find nobody: an agent of another pool is asked


def falls_on(day: int, when: tuple[int, int]) -> bool:
    """Whether a fault happens on a day."""
    every, rest = when
    return day % every == rest
