-- What cannot be is refused first, in one line: the server's own refusal shows the whole row, and logs it.
do $$
declare
    one record;
begin
    for one in
        select format('rooms.%I', wanted.name)::regproc as function, wanted.rule, wanted.words
        from (
            values
            (
                'create_room', 'num_nulls(room_type, is_private, guest_access_allowed) = 0',
                'a room has a type, is private or not, and takes guests or not'
            ),
            ('conclude_room', 'how is not null', 'a conclusion has an outcome'),
            ('set_presence', 'length(to_status) between 1 and 50', 'a presence has 1 to 50 characters'),
            ('start_robot', 'num_nulls(robot_id, request_data) = 0', 'a robot has an id, and is asked something'),
            ('finish_robot', 'is_handover is not null', 'a robot hands over, or does not')
        ) as wanted (name, rule, words)
    loop
        execute regexp_replace(
            pg_get_functiondef(one.function), '\nbegin\n',
            format(E'\nbegin\n    perform rooms.require_value(%s, %L);\n', one.rule, one.words)
        );
    end loop;
    -- More than a question has is a question too large, which the server's refusal would say aloud.
    execute replace(
        pg_get_functiondef('rooms.search_messages'::regproc),
        'websearch_to_tsquery(''spanish'', words)', 'websearch_to_tsquery(''spanish'', left(words, 1000))'
    );
end $$;
