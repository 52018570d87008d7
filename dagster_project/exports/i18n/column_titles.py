"""What a person calls a column of a mart, in Spanish and English: the heads of csv-excel."""

import re

from dagster_project.exports.i18n.language import Language

Title = tuple[str, str]

_TIMES: dict[str, Title] = {
    "pickup": ("Asignación", "Pickup"),
    "first_response": ("Primera respuesta", "First response"),
    "response": ("Respuesta desde la creación", "Response since creation"),
    "resolution": ("Resolución", "Resolution"),
    "handling": ("Tiempo de gestión", "Handling"),
    "reply": ("Siguiente respuesta", "Reply"),
    "avg_reply": ("Siguiente respuesta, promedio", "Average reply"),
    "avg_reply_from_last": ("Sig. respuesta promedio desde el último mensaje", "Average reply from the last message"),
    "reply_from_last": ("Siguiente respuesta desde el último mensaje", "Reply from the last message"),
    "bot": ("Con el bot", "With the bot"),
    "answer": ("Contestación", "Answer"),
    "active": ("Tiempo activo", "Active time"),
    "active_chat": ("Tiempo activo, por conversación", "Active time, by chat"),
    "overall": ("total", "overall"),
}
_MEASURES: dict[str, Title] = {
    "mean": ("promedio", "mean"),
    "p50": ("mediana", "median"),
    "p90": ("p90", "p90"),
    "p95": ("p95", "p95"),
    "p99": ("p99", "p99"),
    "sum": ("suma", "sum"),
    "min": ("mínimo", "minimum"),
    "max": ("máximo", "maximum"),
}
_CLOCKS: dict[str, Title] = {
    "wall": ("", ""),
    "calendar": ("", ""),
    "business": (", horario hábil", ", business time"),
}
_SLA: dict[str, Title] = {
    "rate": ("parte cumplida", "share met"),
    "met_count": ("cumplen", "met"),
    "breached_count": ("incumplen", "breached"),
}
_TITLES: dict[str, Title] = {
    "chat_id": ("Conversación", "Chat"),
    "id": ("Identificador", "Id"),
    "agent_id": ("Usuario del agente", "Agent's username"),
    "pickup_agent_id": ("Usuario de quien la tomó", "Username of who picked it up"),
    "first_response_agent_id": ("Usuario de quien respondió primero", "Username of who answered first"),
    "agent_name": ("Agente", "Agent"),
    "department_id": ("Código del departamento", "Department's key"),
    "department_name": ("Departamento", "Department"),
    "contact_id": ("Contacto", "Contact"),
    "provider": ("Canal", "Channel"),
    "channel": ("Canal", "Channel"),
    "status": ("Estado", "Status"),
    "priority": ("Prioridad", "Priority"),
    "direction": ("Dirección", "Direction"),
    "original_direction": ("Dirección original", "Original direction"),
    "direction_source": ("De dónde sale la dirección", "Source of the direction"),
    "is_converted": ("Difusión respondida", "Answered broadcast"),
    "created_at": ("Creada", "Created"),
    "opened_at": ("Abierta", "Opened"),
    "picked_up_at": ("Asignada", "Picked up"),
    "response_at": ("Respondida", "Answered"),
    "closed_at": ("Cerrada", "Closed"),
    "created_local_date": ("Fecha de creación", "Creation date"),
    "created_local_hour": ("Hora de creación", "Creation hour"),
    "created_day_of_week": ("Día de la semana (0 = domingo)", "Day of week (0 = Sunday)"),
    "created_week_start": ("Semana desde", "Week from"),
    "day_label": ("Día", "Day"),
    "hour_label": ("Hora", "Hour"),
    "calendar": ("Calendario", "Calendar"),
    "is_office_hours": ("En horario de atención", "In office hours"),
    "reply_count": ("Siguientes respuestas", "Replies"),
    "incoming_message_count": ("Mensajes del cliente", "Messages from the customer"),
    "outgoing_message_count": ("Mensajes enviados", "Messages sent"),
    "is_pickup_negative": ("Asignada antes de abrirse", "Picked up before it was opened"),
    "is_first_response_negative": ("Respondida antes de abrirse", "Answered before it was opened"),
    "is_response_negative": ("Respondida antes de crearse", "Answered before it was created"),
    "is_resolution_negative": ("Cerrada antes de abrirse", "Closed before it was opened"),
    "is_handling_negative": ("Cerrada antes de asignarse", "Closed before it was picked up"),
    "is_outside_calendar": ("Fuera del calendario", "Outside the calendar"),
    "quality_rules": ("Reglas de calidad incumplidas", "Quality rules broken"),
    "categorization_state": ("Estado de la clasificación", "State of the categorization"),
    "customer_intent": ("Motivo de contacto", "Intent"),
    "journey_stage": ("Etapa", "Stage"),
    "sentiment": ("Sentimiento", "Sentiment"),
    "agent_quality_score": ("Calidad de la atención (1 a 10)", "Quality of the service (1 to 10)"),
    "confidence_score": ("Confianza", "Confidence"),
    "classified_by": ("Clasificado por", "Classified by"),
    "final_intent": ("Motivo de contacto final", "Final intent"),
    "final_stage": ("Etapa final", "Final stage"),
    "final_sentiment": ("Sentimiento final", "Final sentiment"),
    "final_agent_quality_score": ("Calidad final (1 a 10)", "Final quality (1 to 10)"),
    "final_source": ("Quién dio lo final", "Source of the final one"),
    "local_date": ("Fecha", "Date"),
    "date": ("Fecha", "Date"),
    "day": ("Fecha", "Date"),
    "week_start": ("Semana desde", "Week from"),
    "month_start": ("Mes desde", "Month from"),
    "hour": ("Hora", "Hour"),
    "day_of_week": ("Día de la semana (0 = domingo)", "Day of week (0 = Sunday)"),
    "chat_count": ("Conversaciones", "Chats"),
    "picked_up_chat_count": ("Conversaciones asignadas", "Chats picked up"),
    "closed_chat_count": ("Conversaciones cerradas", "Chats closed"),
    "reopened_count": ("Reaperturas", "Reopenings"),
    "transfer_in_count": ("Transferencias recibidas", "Transfers received"),
    "transfer_out_count": ("Transferencias entregadas", "Transfers handed on"),
    "pickup_count": ("Asignaciones medidas", "Pickups measured"),
    "first_response_count": ("Primeras respuestas medidas", "First responses measured"),
    "resolution_count": ("Resoluciones medidas", "Resolutions measured"),
    "handling_count": ("Atenciones medidas", "Handlings measured"),
    "mean_concurrent_chats": ("Conversaciones simultáneas, promedio", "Concurrent chats, mean"),
    "active_chat_count": ("Conversaciones trabajadas", "Chats worked on"),
    "peak_concurrent_chats": ("Conversaciones simultáneas, máximo", "Concurrent chats, peak"),
    "first_action_at": ("Primera acción", "First action"),
    "last_action_at": ("Última acción", "Last action"),
    "metric_type": ("Tipo de métrica", "Kind of metric"),
    "metric_name": ("Métrica", "Metric"),
    "metric": ("Métrica", "Metric"),
    "metric_label": ("Nombre de la métrica", "Name of the metric"),
    "value": ("Valor", "Value"),
    "category": ("Categoría", "Category"),
    "analysis_id": ("Análisis", "Analysis"),
    "is_llm": ("Por un modelo de lenguaje", "By a language model"),
    "better": ("Qué es mejor", "What is better"),
    "change_pct": ("Cambio", "Change"),
    "unit": ("Unidad", "Unit"),
    "count": ("Cantidad", "Count"),
    "scope": ("Alcance", "Scope"),
    "scope_id": ("Código del alcance", "Key of the scope"),
    "scope_name": ("Nombre del alcance", "Name of the scope"),
    "member": ("Elemento", "Member"),
    "tag_label": ("Etiqueta", "Tag"),
    "tag_key": ("Clave de la etiqueta", "Key of the tag"),
    "rate": ("Parte", "Share"),
    "goal": ("Meta", "Goal"),
    "is_goal_met": ("Cumple la meta", "Goal met"),
    "clock": ("Reloj", "Clock"),
    "met_count": ("Cumplen", "Met"),
    "breached_count": ("Incumplen", "Breached"),
    "pending_count": ("Pendientes", "Pending"),
    "not_applicable_count": ("No aplica", "Not applicable"),
    "judged_count": ("Juzgadas", "Judged"),
    "late_count": ("Tardías", "Late"),
    "sum_seconds_past": ("Tiempo pasado de la meta, suma (s)", "Past the target, sum (s)"),
    "mean_seconds_past": ("Tiempo pasado de la meta, promedio (s)", "Past the target, mean (s)"),
    "period_start": ("Periodo desde", "Period from"),
    "day_count": ("Días con datos", "Days in the data"),
    "is_partial": ("Periodo incompleto", "Not a whole period"),
    "value_delta": ("Diferencia", "Difference"),
    "value_delta_pct": ("Cambio", "Change"),
    "field": ("Clasificación", "Field"),
    "label": ("Etiqueta", "Label"),
    "label_es": ("Nombre de la etiqueta", "Label in words"),
    "label_en": ("Nombre de la etiqueta", "Label in words"),
    "by_human_count": ("Revisadas por una persona", "Looked at by a person"),
    "labelled_count": ("Conversaciones clasificadas", "Chats categorized"),
    "label_share": ("Parte de la etiqueta", "Share of the label"),
    "status_label": ("Nombre del estado", "Status in words"),
    "provider_label": ("Nombre del canal", "Channel in words"),
    "direction_label": ("Nombre de la dirección", "Direction in words"),
    "final_intent_label": ("Nombre del motivo final", "Final intent in words"),
    "final_stage_label": ("Nombre de la etapa final", "Final stage in words"),
    "final_sentiment_label": ("Nombre del sentimiento final", "Final sentiment in words"),
}
_A_TIME = re.compile(rf"(?:({'|'.join(_MEASURES)})_)?({'|'.join(_TIMES)})(_business)?_seconds")
_A_TIMES_CHANGE = re.compile(rf"({'|'.join(_MEASURES)})_({'|'.join(_TIMES)})(?=_delta)")
_AN_SLA = re.compile(rf"sla_({'|'.join(_TIMES)})_({'|'.join(_CLOCKS)})_({'|'.join(_SLA)})")
_A_CHANGE = re.compile(r"(.+)_(delta_pct|delta|change_pct|change)")


def is_other_language(column: str, language: Language) -> bool:
    """Whether a column is the label for readers of the other language."""
    return column.endswith("_en" if language == "es" else "_es")


def title(column: str, language: Language) -> str:
    """The head of a column; times are in minutes. A column that has none is called by its name, without underscores."""
    place = 0 if language == "es" else 1
    name = column if column in _TITLES else column.removesuffix(f"_{language}")
    if name in _TITLES:
        return _TITLES[name][place]
    if name.startswith("previous_"):
        return f"{title(name.removeprefix('previous_'), language)}, {('antes', 'before')[place]}"
    if change := _A_CHANGE.fullmatch(name):
        return f"{_changed(change[1], language)}, {('cambio', 'change')[place]}"
    if time := _A_TIME.fullmatch(name):
        measure = f", {_MEASURES[time[1]][place]}" if time[1] else ""
        clock = _CLOCKS["business"][place] if time[3] else ""
        return f"{_TIMES[time[2]][place]}{measure}{clock} (min)"
    if sla := _AN_SLA.fullmatch(name):
        of, clock, what = _TIMES[sla[1]][place].lower(), _CLOCKS[sla[2]][place], _SLA[sla[3]][place]
        return f"SLA {of}{clock}: {what}"
    words = name.removesuffix("_seconds").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}{' (min)' if name.endswith('_seconds') else ''}"


def _changed(name: str, language: Language) -> str:
    """The title of what changes: `mean_pickup` is a time, as `mean_pickup_seconds` is."""
    is_time = _A_TIMES_CHANGE.match(f"{name}_delta")
    return title(f"{name}_seconds", language).removesuffix(" (min)") if is_time else title(name, language)
