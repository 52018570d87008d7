"""Our copy of the data dictionary is the dictionary."""

import pytest

from dagster_project.settings import PROJECT_ROOT
from tests.support import dictionary

DICTIONARY = PROJECT_ROOT.parent / "shared" / "seeds" / "002_1aa652a2447fc107.txt"


def test_our_copy_of_the_data_dictionary_is_what_it_says() -> None:
    if not DICTIONARY.is_file():
        pytest.skip("THE DATA DICTIONARY IS ABSENT: ../shared/seeds is not beside this project")
    assert dictionary.load() == dictionary.parsed(DICTIONARY.read_text())
