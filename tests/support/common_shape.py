"""What dbt makes of core for classifiers, where a test fills core's tables by hand."""

VIEWS = """
    create schema if not exists intermediate;
    create view intermediate.int_conversations as select id as chat_id, chats.* from core.chats;
    create view intermediate.int_conversation_texts as
    select chat_id, position, timestamp as sent_at, incoming as is_incoming, content_type, text, caption
    from core.messages;
"""
PEOPLE = """
    create view intermediate.int_agents as select id, name from core.agents;
    create view intermediate.int_departments as select id, name from core.departments;
"""
