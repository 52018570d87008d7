-- A view: a business changes its taxonomy when it likes.
select
    field,
    label,
    position,
    label_es,
    label_en,
    meaning,
    is_current
from {{ source('analysis', 'taxonomy_labels') }}
