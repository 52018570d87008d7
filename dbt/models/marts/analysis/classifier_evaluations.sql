with evaluations as (
    select * from {{ source('analysis', 'evaluations') }}
),

scores as (
    select * from {{ source('analysis', 'evaluation_scores') }}
)

select
    evaluations.evaluation_id::text || ' ' || scores.field as evaluation_score_id,
    evaluations.evaluated_at,
    evaluations.classifier,
    evaluations.version,
    evaluations.classified_by,
    evaluations.file_name,
    scores.field,
    scores.chats as chat_count,
    scores.accuracy,
    scores.accuracy_low,
    scores.accuracy_high,
    scores.macro_f1,
    scores.kappa,
    scores.without_label as unlabelled_chat_count,
    scores.named_without_label as should_have_abstained_count,
    evaluations.failed as failed_chat_count,
    evaluations.cost_usd::double precision as cost_usd
from scores
inner join evaluations on evaluations.evaluation_id = scores.evaluation_id
