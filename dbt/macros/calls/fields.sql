{# The country of a visitor: a code of ISO 3166-1 in upper case; unknown for none, and for what is no such code. #}
{% macro country_code(value) -%}
    {%- set codes = (
        'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD '
        ~ 'CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE '
        ~ 'GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI '
        ~ 'KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX '
        ~ 'MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD '
        ~ 'SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ '
        ~ 'VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
    ).split() -%}
    case when {{ upper_ascii(value) }} in ('{{ codes | join("', '") }}') then {{ upper_ascii(value) }} else 'unknown' end
{%- endmacro %}


{#
  By whom a pageview or a call was: the same visitor has the same key in both, and it leads back to nobody. What has no
  visitor is a visitor of its own.
#}
{% macro visitor_key(visitor_id, alone) -%}
    coalesce(md5({{ source_key('calls', visitor_id) }}), {{ alone }})
{%- endmacro %}


{#
  Whose visits are told anew beside those of the visitor, for the row was theirs before: a person who was erased has another key.
  NULL for a row that is new, or the same visitor's.
#}
{% macro previous_visitor_key(landed, alone) -%}
    {%- if is_incremental() -%}
    (
        select case when known.visitor_key <> {{ visitor_key(landed ~ '.visitor_id', alone) }} then known.visitor_key end
        from {{ this }} as known
        where known.id = {{ landed }}.id
    )
    {%- else -%}
    null::text
    {%- endif -%}
{%- endmacro %}


{# Nobody is signed in for longer: a session that is, is cut there. #}
{% macro max_session_time() -%}
    interval '24 hours'
{%- endmacro %}


{# What stands where a person who was erased said something: whoever is erased is written anew, and did not come late. #}
{% macro erased_text() -%}
    [erased]
{%- endmacro %}
