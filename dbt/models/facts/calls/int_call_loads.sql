-- What we know of calls ends with the newest load of their source.
{{ running_loads("source = 'calls'") }}
