"""What people asked for lately is made for them before they ask again, and nothing for who has gone."""

from dagster_project.dashboard.popular import AWAY_SECONDS, LATELY_SECONDS, MAX_PAGES, Popular


def test_only_the_last_pages_of_the_last_hour_are_wanted_again() -> None:
    clock = [0.0]
    popular: Popular[str] = Popular(now=lambda: clock[0])
    popular.note("early")
    clock[0] = LATELY_SECONDS - 1.0
    for page in ("one", "two", "one"):
        popular.note(page)
    assert popular.pages() == ["one", "two", "early"]
    clock[0] += 2
    assert popular.pages() == ["one", "two"]
    for number in range(MAX_PAGES):
        popular.note(str(number))
    assert len(popular.pages()) == MAX_PAGES and "one" not in popular.pages()


def test_nothing_is_made_for_people_who_have_not_come_for_days() -> None:
    clock = [0.0]
    popular: Popular[str] = Popular(now=lambda: clock[0])
    assert popular.is_visited()  # it has just begun
    clock[0] = AWAY_SECONDS + 1.0
    assert not popular.is_visited()
    popular.note("page")
    assert popular.is_visited()
