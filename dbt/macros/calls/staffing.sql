{#
  SQL: how many agents a queue needs, by Erlang C: a row for each number of them that keeps up, with the share of calls answered
  in time. Who gives up is not in it: it asks for a little more than there must be.

  The states of the queue are those of Poisson's law, for its terms do not overflow:
  P(wait) = p(n)·n/(n−a) ÷ (P(k < n) + p(n)·n/(n−a)); in time = 1 − P(wait)·exp(−(n−a)·t/h). Erlang, 1917.

  Args:
      erlangs: a, calls an hour times the hours that one takes.
      handle_seconds: h, what one takes.
      target_seconds: t, how long one may wait.
#}
{% macro erlang_c(erlangs, handle_seconds, target_seconds) %}
    select
        agent_count,
        1 - waiting / (less + waiting) * exp(-(agent_count - {{ erlangs }}) * {{ target_seconds }} / {{ handle_seconds }})
            as service_level
    from (
        select
            agent_count,
            probability * agent_count / nullif(agent_count - {{ erlangs }}, 0) as waiting,
            sum(probability) over (order by agent_count) - probability as less
        from (
            select
                agent_count,
                exp(
                    agent_count * ln({{ erlangs }}) - {{ erlangs }} - sum(ln(greatest(agent_count, 1))) over (order by agent_count)
                ) as probability
            from generate_series(0, ceil({{ erlangs }} + 10 * sqrt({{ erlangs }}) + 10)::integer) as agent_count
        ) as states
    ) as queues
    where agent_count > {{ erlangs }}
{% endmacro %}
