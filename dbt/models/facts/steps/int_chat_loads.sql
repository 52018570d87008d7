-- What we know of conversations ends with the newest load that brought any.
{{ running_loads('(source, entity_type) in ' ~ conversation_entities()) }}
