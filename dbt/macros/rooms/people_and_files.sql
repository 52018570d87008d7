{# The name of a user that marts may show: of those who work here. Customers are told by their key alone. #}
{% macro shown_name(users) -%}
    case when {{ users }}.account_type_informal in ('agent', 'supervisor', 'robot', 'admin') then {{ users }}.name end
{%- endmacro %}


{# The class of a file, by its media type; what is not known is other. #}
{% macro file_class(mime_type) -%}
    case
        when {{ mime_type }} like 'image/%' then 'image'
        when {{ mime_type }} like 'audio/%' then 'audio'
        when {{ mime_type }} like 'video/%' then 'video'
        when {{ mime_type }} in (
            'application/zip', 'application/gzip', 'application/x-tar', 'application/x-7z-compressed', 'application/vnd.rar',
            'application/x-rar-compressed', 'application/x-bzip2'
        ) then 'archive'
        when {{ mime_type }} like 'text/%'
            or {{ mime_type }} like 'application/vnd.openxmlformats-officedocument.%'
            or {{ mime_type }} like 'application/vnd.oasis.opendocument.%'
            or {{ mime_type }} in (
                'application/pdf', 'application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint',
                'application/rtf'
            ) then 'document'
        else 'other'
    end
{%- endmacro %}
