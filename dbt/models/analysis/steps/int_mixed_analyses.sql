select analysis_id
from {{ ref('int_analysis_chats') }}
where scope = 'all'
group by analysis_id
having min(source) <> max(source)
