"""The statuses after which a chat is not read again, and those that the dictionary calls closed, agree."""

import re

from dagster_project.settings import PROJECT_ROOT
from dagster_project.sources.b2chat.entities import CHATS


def test_a_status_after_which_a_chat_is_not_read_again_is_closed_in_the_dictionary() -> None:
    macro = (PROJECT_ROOT / "dbt/macros/b2chat/chat_fields.sql").read_text()
    [listed] = re.findall(r"in \(([^)]*)\) then 'closed'", macro)
    final = set(re.findall(r"distinct from '([A-Z_]+)'", CHATS.may_change))
    # While the poll runs, the chat is closed, and may still change.
    assert set(re.findall(r"'([A-Z_]+)'", listed)) - final == {"COMPLETING_POLL"}
    assert final == {"CLOSED", "COMPLETED_POLL", "ABANDONED_POLL"}
