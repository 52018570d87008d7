"""Every text of a report, Spanish and English side by side."""

from dagster_project.warehouse import seeds

TEXTS: dict[str, tuple[str, str]] = {
    "no_data": ("sin datos", "no data"),
    "chat": ("{count} conversación", "{count} chat"),
    "chats": ("{count} conversaciones", "{count} chats"),
    "points": ("puntos", "points"),
    "verdict.better": ("mejor", "better"),
    "verdict.worse": ("peor", "worse"),
    # cover
    "title.week": ("Informe semanal de atención", "Weekly service report"),
    "title.month": ("Informe mensual de atención", "Monthly service report"),
    "title.analysis": ("Análisis de clientes", "Customer analysis"),
    "subtitle": ("Conversaciones de B2Chat", "B2Chat conversations"),
    "default_company": ("B2Chat", "B2Chat"),
    "period": ("Período", "Period"),
    "period.range": ("{first} – {last}", "{first} – {last}"),
    "filter": ("Filtros", "Filters"),
    "filter.all": ("Todas las conversaciones", "All chats"),
    "filter.agent": ("Agente: {name}", "Agent: {name}"),
    "filter.department": ("Departamento: {name}", "Department: {name}"),
    "filter.provider": ("Canal: {name}", "Channel: {name}"),
    "filter.direction": ("Dirección: {name}", "Direction: {name}"),
    "analysis.filters": ("{agents}; {departments}; {contacts}", "{agents}; {departments}; {contacts}"),
    "analysis.agents": ("agentes: {names}", "agents: {names}"),
    "analysis.agents.all": ("todos los agentes", "all agents"),
    "analysis.departments": ("departamentos: {names}", "departments: {names}"),
    "analysis.departments.all": ("todos los departamentos", "all departments"),
    "analysis.contacts": ("{count} contactos", "{count} contacts"),
    "analysis.contacts.all": ("todos los contactos", "all contacts"),
    "analysis.and_more": ("y {count} más", "and {count} more"),
    "analysis.asked_by": ("Pedido por", "Asked for by"),
    "analysis.sample": ("Muestra", "Sample"),
    "analysis.sample.value": (
        "{share} de {chats}; {skipped} sin clasificar por no tener con qué, {pending} pendientes",
        "{share} of {chats}; {skipped} not categorized for lack of content, {pending} pending",
    ),
    "data_through": ("Datos hasta", "Data through"),
    "generated_at": ("Generado", "Generated"),
    "timezone": ("Zona horaria", "Time zone"),
    "compared_with": ("Comparado con", "Compared with"),
    "badge": ("clasificado por {sources}", "classified by {sources}"),
    "badge.and": (" y ", " and "),
    "source.rules": ("reglas", "rules"),
    "source.model": ("un modelo de lenguaje", "a language model"),
    "source.stand_in": ("un simulador, de prueba", "a stand-in, for trying"),
    "source.people": ("personas", "people"),
    "badge.none": ("sin clasificar", "not classified"),
    "demo": ("datos de demostración", "demo data"),
    "demo.title": ("{title} (datos de demostración)", "{title} (demo data)"),
    "demo.value": ("inventados por el sandbox, no son reales", "made up by the sandbox, not real"),
    "badge.partial": ("período en curso: datos parciales", "period not over: partial data"),
    "badge.previous_partial": (
        "el período anterior no tiene todos sus días",
        "the period before lacks some of its days",
    ),
    "page": ("Página {page} de {pages}", "Page {page} of {pages}"),
    "keywords": ("B2Chat, atención al cliente, tiempos de respuesta", "B2Chat, customer service, response times"),
    # sections
    "section.summary": ("Resumen", "Summary"),
    "section.actions": ("Qué hacer", "What to do"),
    "actions.slots": ("Las tres franjas más lentas", "The three slowest slots"),
    "actions.slots.why": (
        "Revise por qué esperaron estos clientes y si hay agentes suficientes a esa hora. Cuentan franjas con "
        "{enough} o más respuestas; el orden es por el promedio.",
        "Look at why these customers waited, and whether there are enough agents at that hour. Slots with {enough} "
        "answers or more count, by their mean.",
    ),
    "actions.slots.none": (
        "Ninguna franja tiene {enough} respuestas o más: hay muy pocas conversaciones para comparar horas.",
        "No slot has {enough} answers or more: there are too few chats to compare hours.",
    ),
    "actions.slot": ("{number}. {day} de {from_hour} a {to_hour}", "{number}. {day}, {from_hour} to {to_hour}"),
    "actions.slot.figures": (
        "promedio {mean} · mediana {p50} · n = {count}",
        "mean {mean} · median {p50} · n = {count}",
    ),
    "actions.open": ("Incumplidas y todavía abiertas", "Breached and still open"),
    "actions.open.why": (
        "{count} conversaciones del período incumplieron un objetivo y siguen sin cerrar. Primero las que nadie ha "
        "respondido, de la más antigua a la más reciente{shown}.",
        "{count} chats of the period missed a target and are not closed. Those that nobody answered come first, from "
        "the oldest{shown}.",
    ),
    "actions.open.shown": ("; aquí, las primeras {shown}", "; here, the first {shown}"),
    "actions.open.none": (
        "Ninguna conversación incumplida del período sigue abierta.",
        "No breached chat of the period is still open.",
    ),
    "actions.gap": ("Más lejos de la meta", "Farthest from the goal"),
    "actions.gap.why": (
        "Agentes y departamentos con {enough} o más conversaciones juzgadas y el SLA más bajo; la meta es {goal}.",
        "Agents and departments with {enough} judged chats or more and the lowest SLA; the goal is {goal}.",
    ),
    "actions.unanswered": ("sin respuesta", "not answered"),
    "column.chat_id": ("Conversación (id)", "Chat (id)"),
    "column.created": ("Creada", "Created"),
    "column.waited": ("Esperó", "Waited"),
    "column.who": ("Quién", "Who"),
    "column.judged": ("Juzgadas", "Judged"),
    "appendix": ("Anexo", "Appendix"),
    "population": ("Población", "Population"),
    "population.incoming": (
        "Las cifras son de las conversaciones entrantes: las que inició el cliente, también las que respondieron a "
        "una difusión.",
        "The figures are of incoming chats: those that customers began, answers to a broadcast among them.",
    ),
    "population.of": ("Las cifras son de las conversaciones {direction}.", "The figures are of {direction} chats."),
    "population.others": (
        "Aparte, y en ninguna de estas cifras: {others}.",
        "Apart, and in none of these figures: {others}.",
    ),
    "population.other": ("{count} {direction}{before}", "{count} {direction}{before}"),
    "population.before": (" (antes {value})", " (before {value})"),
    "population.none": ("No hubo conversaciones de otro tipo.", "There were no chats of another kind."),
    "other.incoming": ("entrantes", "incoming"),
    "other.outgoing": ("salientes, que iniciaron los agentes", "outgoing, begun by agents"),
    "other.outgoing_broadcast": ("de difusiones sin respuesta", "of broadcasts without an answer"),
    "other.unknown": ("de origen desconocido", "of unknown origin"),
    "section.heatmap.week": ("Mapa de calor de la semana", "Heatmap of the week"),
    "section.heatmap.month": ("Mapa de calor del mes", "Heatmap of the month"),
    "section.heatmap.analysis": ("Mapa de calor", "Heatmap"),
    "section.times": ("Tiempos de respuesta", "Response times"),
    "section.sla": ("Nivel de servicio (SLA)", "Service level (SLA)"),
    "section.agents": ("Agentes", "Agents"),
    "section.groups": ("Departamentos y canales", "Departments and channels"),
    "section.insights": ("Motivos de contacto", "Why customers write"),
    "section.operations": ("Calidad y pendientes", "Quality and open work"),
    "section.notes": ("Notas y definiciones", "Notes and definitions"),
    # summary
    "kpi.chats_created": ("Conversaciones entrantes", "Incoming chats"),
    "kpi.chats_closed": ("Cerradas en el período", "Closed in the period"),
    "kpi.messages_in": ("Mensajes de clientes, todas las conversaciones", "Messages from customers, all chats"),
    "kpi.messages_out": ("Mensajes enviados, todas las conversaciones", "Messages sent, all chats"),
    "kpi.chats_analysed": ("Conversaciones analizadas", "Chats analysed"),
    "kpi.messages_analysed": ("Mensajes", "Messages"),
    "kpi.quality": ("Calidad de la atención, 1 a 10", "Quality of the service, 1 to 10"),
    "kpi.pickup_p90": ("Tiempo de asignación, 9 de cada 10", "Pickup, 9 in 10"),
    "kpi.first_response_p50": ("Primera respuesta, mediana", "First response, median"),
    "kpi.first_response_p90": ("Primera respuesta, 9 de cada 10", "First response, 9 in 10"),
    "kpi.reply_p50": ("Siguiente respuesta, mediana", "Next reply, median"),
    "kpi.resolution_p50": ("Resolución, mediana", "Resolution, median"),
    "kpi.sla_overall_rate": ("SLA cumplido", "SLA met"),
    "kpi.sla_overall_business_rate": ("SLA cumplido, horario de atención", "SLA met, business hours"),
    "kpi.backlog_open": ("Abiertas (todas), último corte", "Open (of all kinds), last count"),
    "kpi.chats_created.of": ("Conversaciones {direction}", "Chats, {direction}"),
    "kpi.unanswered": ("Sin respuesta de un agente", "Not answered by an agent"),
    "kpi.sla_first_response_rate": ("Primera respuesta a tiempo", "First response in time"),
    "kpi.first_contact_resolution_rate": ("Resolución en el primer contacto (FCR)", "First-contact resolution"),
    "kpi.chats_reopened": ("Reaperturas", "Reopenings"),
    "kpi.agent_transfers": ("Transferencias entre agentes", "Transfers between agents"),
    "kpi.department_transfers": ("Transferencias entre departamentos", "Transfers between departments"),
    "kpi.survey_response_rate": ("Encuestas respondidas, tasa", "Surveys answered, rate"),
    "kpi.bot_chats": ("Atendidas primero por el bot", "Begun with the bot"),
    "kpi.bot_containment_rate": ("Resueltas por el bot, sin agente", "Done by the bot, without an agent"),
    "kpi.broadcasts_answered": ("Difusiones que el cliente respondió", "Broadcasts that the customer answered"),
    "n": ("n = {count}", "n = {count}"),
    "n.goal": ("n = {count}; meta {goal}", "n = {count}; goal {goal}"),
    "n.target": ("n = {count}; en {target} o menos", "n = {count}; within {target}"),
    "n.of": ("de {count}", "of {count}"),
    "before.week": ("semana anterior", "week before"),
    "before.month": ("mes anterior", "month before"),
    "before": ("antes {value}", "before {value}"),
    "before.start": ("al inicio {value}", "at the start {value}"),
    "findings": ("Lo esencial", "In short"),
    "finding.none": (
        "No hay conversaciones en este período con estos filtros.",
        "There are no chats in this period with these filters.",
    ),
    "finding.volume": (
        "Los clientes iniciaron {chats}{change}; sin respuesta de un agente: {unanswered}.",
        "Customers began {chats}{change}; not answered by an agent: {unanswered}.",
    ),
    "finding.volume.of": (
        "Conversaciones {direction}: {count}{change}; sin respuesta: {unanswered}.",
        "Chats, {direction}: {count}{change}; not answered: {unanswered}.",
    ),
    "finding.analysed": ("Conversaciones analizadas: {count}{change}.", "Chats analysed: {count}{change}."),
    "finding.more": (" ({change} más que las {previous} de antes)", " ({change} more than the {previous} before)"),
    "finding.fewer": (" ({change} menos que las {previous} de antes)", " ({change} fewer than the {previous} before)"),
    "finding.same": (" (igual que antes)", " (as many as before)"),
    "finding.speed": (
        "De {chats} con respuesta, la mitad la tuvo en {p50} o menos; nueve de cada diez, en {p90} o menos.",
        "Of {chats} that were answered, half were within {p50}; nine in ten within {p90}.",
    ),
    "finding.slowest": (
        "La franja más lenta fue el {day} de {from_hour} a {to_hour}: primera respuesta de {mean} en promedio "
        "({chats}; franjas con {enough} o más).",
        "The slowest slot was {day} from {from_hour} to {to_hour}: a mean first response of {mean} ({chats}; slots "
        "with {enough} or more).",
    ),
    "finding.busiest": (
        "La franja con más movimiento fue el {day} de {from_hour} a {to_hour}: {chats}.",
        "The busiest slot was {day} from {from_hour} to {to_hour}: {chats}.",
    ),
    "finding.sla": (
        "El {rate} de {judged} cumplió todos los objetivos; la meta es {goal}. A tiempo con la primera respuesta: "
        "{first}.",
        "{rate} of {judged} met every target; the goal is {goal}. In time with the first response: {first}.",
    ),
    "finding.backlog": (
        "Quedan abiertas, de todos los tipos, {chats}; {old} desde hace más de siete días.",
        "Still open, of all kinds: {chats}; {old} for more than seven days.",
    ),
    "finding.intent": (
        "Motivo de contacto más frecuente: {intent} ({share} de {count} clasificadas, {badge}).",
        "Most frequent reason to write: {intent} ({share} of {count} categorized, {badge}).",
    ),
    "finding.targets": (
        "Los objetivos del SLA son los que vienen por defecto: la empresa no ha definido los suyos (ver las notas).",
        "The SLA targets are the defaults: the company has not set its own (see the notes).",
    ),
    "chart.days": ("Conversaciones {kind} por día", "Chats by day, {kind}"),
    "chart.week": ("Conversaciones {kind} por semana", "Chats by week, {kind}"),
    "chart.month": ("Conversaciones {kind} por mes", "Chats by month, {kind}"),
    "chart.partial": (
        "* Período incompleto: los datos no cubren todos sus días.",
        "* Not whole: the data does not cover all of its days.",
    ),
    # heatmap
    "heatmap.first_response": (
        "Primera respuesta, mediana, por día y hora de creación",
        "First response, median, by weekday and hour of creation",
    ),
    "heatmap.traffic": ("Conversaciones creadas, por día y hora", "Chats created, by weekday and hour"),
    "heatmap.caption": (
        "Mediana de la primera respuesta de las conversaciones {kind} creadas a esa hora. El tono compara entre sí "
        "las franjas con {enough} o más respuestas; con menos, la cifra va en gris y sin tono. Vacía: sin datos.",
        "Median first response of the chats created at that hour ({kind}). The shade compares slots with {enough} "
        "answers or more; with fewer the figure is grey and has no shade. Empty: no data.",
    ),
    "heatmap.caption.analysis": (
        "Mediana de la primera respuesta de las conversaciones creadas a esa hora. El tono compara las franjas entre "
        "sí. Vacía: sin datos.",
        "Median first response of the chats created at that hour. The shade compares the slots with each other. "
        "Empty: no data.",
    ),
    "heatmap.traffic.caption": (
        "Conversaciones {kind} creadas a esa hora. El tono compara las franjas entre sí. Vacía: ninguna.",
        "Chats created at that hour ({kind}). The shade compares the slots with each other. Empty: none.",
    ),
    "heatmap.units": ("s segundos · m minutos · h horas · d días", "s seconds · m minutes · h hours · d days"),
    "heatmap.day": ("Día", "Day"),
    "legend.up_to": ("hasta {value}", "up to {value}"),
    "legend.above": ("más de {value}", "above {value}"),
    # response times
    "metric.pickup": ("Tiempo de asignación", "Pickup"),
    "metric.first_response": ("Primera respuesta", "First response"),
    "metric.reply": ("Siguiente respuesta", "Next reply"),
    "metric.avg_reply": ("Siguiente respuesta", "Next reply"),
    "metric.handling": ("Tiempo de gestión", "Handling"),
    "metric.resolution": ("Resolución", "Resolution"),
    "metric.overall": ("Todos los objetivos", "All targets"),
    "clock.wall": ("Tiempo corrido", "Wall clock"),
    "clock.business": ("Horario de atención", "Business hours"),
    "times.wall": ("Tiempo corrido", "Wall clock"),
    "times.business": ("Sólo horario de atención", "Business hours only"),
    "column.time": ("Tiempo", "Time"),
    "column.count": ("n", "n"),
    "column.mean": ("Promedio", "Mean"),
    "column.p50": ("Mediana", "Median"),
    "column.p90": ("p90", "p90"),
    "column.p95": ("p95", "p95"),
    "column.p99": ("p99", "p99"),
    "column.previous_p50": ("Mediana antes", "Median before"),
    "buckets": ("Cuántos esperaron cuánto", "How many waited how long"),
    "buckets.caption": ("Tiempo corrido; a la izquierda, n.", "Wall clock; n on the left."),
    "bucket.under_1m": ("menos de 1 min", "under 1 min"),
    "bucket.from_1m_to_3m": ("1 a 3 min", "1 to 3 min"),
    "bucket.from_3m_to_5m": ("3 a 5 min", "3 to 5 min"),
    "bucket.from_5m_to_10m": ("5 a 10 min", "5 to 10 min"),
    "bucket.over_10m": ("10 min o más", "10 min or more"),
    "trend.days": ("Primera respuesta por día", "First response by day"),
    "trend.week": ("Primera respuesta, últimas semanas", "First response, last weeks"),
    "trend.month": ("Primera respuesta, últimos meses", "First response, last months"),
    "trend.caption": (
        "Escala logarítmica. Un hueco en la línea no tiene datos. * Período incompleto.",
        "Logarithmic scale. A gap in the line has no data. * Not whole.",
    ),
    "trend.alt": ("Gráfico de líneas: {title}. {values}", "Line chart: {title}. {values}"),
    "bars.alt": ("Gráfico de barras: {title}. {values}", "Bar chart: {title}. {values}"),
    # sla
    "sla.intro": (
        "Parte de las conversaciones que cumplió cada objetivo, de las ya juzgadas. La marca es la meta.",
        "Share of the judged chats that met each target. The mark is the goal.",
    ),
    "column.promise": ("Objetivo", "Target"),
    "column.target": ("Plazo", "Within"),
    "column.met": ("Cumplidas", "Met"),
    "column.breached": ("Incumplidas", "Breached"),
    "column.pending": ("Pendientes", "Pending"),
    "column.rate": ("Cumplimiento", "Rate"),
    "column.previous": ("Antes", "Before"),
    "column.goal": ("Meta", "Goal"),
    "sla.trend": ("SLA cumplido por día", "SLA met by day"),
    "sla.goal_met": ("alcanza la meta", "reaches the goal"),
    "sla.goal_missed": ("bajo la meta", "below the goal"),
    # people
    "column.agent": ("Agente", "Agent"),
    "column.department": ("Departamento", "Department"),
    "column.channel": ("Canal", "Channel"),
    "column.chats": ("n", "n"),
    "column.closed": ("Cerradas", "Closed"),
    "column.messages": ("Mensajes", "Messages"),
    "column.first_response": ("1.ª respuesta", "1st response"),
    "column.first_response_p90": ("1.ª resp. p90", "1st resp. p90"),
    "column.reply": ("Sig. respuesta", "Next reply"),
    "column.resolution": ("Resolución", "Resolution"),
    "column.sla": ("SLA", "SLA"),
    "column.gap": ("Frente a la meta", "Against goal"),
    "column.open_breached": ("Incumpl. abiertas", "Breached, open"),
    "column.others": ("Otras", "Others"),
    "column.quality": ("Calidad", "Quality"),
    "column.share": ("Parte", "Share"),
    "agents.caption": (
        "n: conversaciones {kind} creadas en el período, por el agente que las tiene. 1.ª respuesta: mediana, tiempo "
        "corrido. SLA: parte que cumplió todos los objetivos; la meta es {goal}. Incumpl. abiertas: siguen sin "
        "cerrar. Otras: las que no son {kind}. Calidad: de 1 a 10, {badge}.",
        "n: chats created in the period ({kind}), by the agent who has them. 1st response: median, wall clock. SLA: "
        "share that met every target; the goal is {goal}. Breached, open: not closed yet. Others: chats that are not "
        "{kind}. Quality: 1 to 10, {badge}.",
    ),
    "agents.caption.analysis": (
        "n: conversaciones analizadas. Mensajes: enviados. Tiempos: medianas, tiempo corrido. Calidad: de 1 a 10, "
        "{badge}.",
        "n: chats analysed. Messages: sent. Times: medians, wall clock. Quality: 1 to 10, {badge}.",
    ),
    "groups.caption": (
        "n: conversaciones {kind}. Tiempos: medianas, tiempo corrido. La meta del SLA es {goal}. Otras: las que no "
        "son {kind}.",
        "n: {kind} chats. Times: medians, wall clock. The goal of the SLA is {goal}. Others: chats that are not "
        "{kind}.",
    ),
    "groups.caption.analysis": (
        "n: conversaciones analizadas. Tiempos: medianas, tiempo corrido.",
        "n: chats analysed. Times: medians, wall clock.",
    ),
    "agents.count": ("{count} agentes", "{count} agents"),
    "agents.none": ("Ningún agente con actividad.", "No agent was active."),
    "department.none": ("Sin departamento", "No department"),
    "direction.all": ("todas", "all"),
    "direction.none": ("analizadas", "analysed"),
    "direction.unknown": ("de origen desconocido", "of unknown origin"),
    "direction.incoming": ("entrantes", "incoming"),
    "direction.outgoing": ("salientes", "outgoing"),
    "direction.outgoing_broadcast": ("difusiones", "broadcasts"),
    # insights
    "insights.categorized": ("Conversaciones clasificadas", "Categorized chats"),
    "insights.of_all": ("{share} de {chats}", "{share} of {chats}"),
    "insights.quality": ("Calidad de la atención, de 1 a 10", "Quality of the service, 1 to 10"),
    "insights.over": ("promedio de {chats}", "mean of {chats}"),
    "insights.review": ("Por revisar", "To be reviewed"),
    "insights.review.why": ("poca confianza o contradicción", "low confidence or contradiction"),
    "insights.coverage": (
        "Se clasifican las conversaciones con mensajes que terminaron o llevan un día en silencio.",
        "Categorized are chats with messages that ended or have been silent for a day.",
    ),
    "insights.waiting": (
        "Sin categoría: {waiting} esperan la respuesta del modelo de lenguaje, {unanswered} se quedaron sin ella.",
        "Not categorized: {waiting} wait for the language model's answer, {unanswered} got none.",
    ),
    "insights.rules": (
        "Las categorías las pone un programa de reglas, no un modelo de lenguaje ni una persona: son una orientación.",
        "The categories are given by a program of rules, neither by a language model nor a person: they are a guide.",
    ),
    "insights.model": (
        "Las categorías las pone un modelo de lenguaje, no una persona: son una orientación.",
        "The categories are given by a language model, not by a person: they are a guide.",
    ),
    "insights.mixed": (
        "De las conversaciones clasificadas: {sources}. Lo que no dice una persona es una orientación.",
        "Of the categorized chats: {sources}. What is not said by a person is a guide.",
    ),
    "insights.source": ("{count} por {source}", "{count} by {source}"),
    "insights.intents": ("Motivo de contacto", "Reason to write"),
    "insights.journeys": ("Etapa del cliente", "Customer journey"),
    "insights.sentiments": ("Sentimiento", "Sentiment"),
    "column.intent": ("Motivo", "Reason"),
    "column.previous_share": ("Parte antes", "Share before"),
    "column.share_delta": ("Cambio", "Change"),
    "intents.caption": (
        "Parte de las conversaciones clasificadas del período; cambio en puntos. 1.ª respuesta: mediana, tiempo "
        "corrido, de las que la tuvieron.",
        "Share of the period's categorized chats; change in points. 1st response: median, wall clock, of those that "
        "had one.",
    ),
    "intent.PROJECT_INFO": ("Información de proyectos", "Project information"),
    "intent.PAYMENT": ("Pagos", "Payments"),
    "intent.LEGAL": ("Trámites y escrituras", "Legal paperwork"),
    "intent.POST_PURCHASE": ("Posventa", "After-sales"),
    "intent.OTHER": ("Otro", "Other"),
    "journey.PROSPECT": ("Prospecto", "Prospect"),
    "journey.ACTIVE_BUYER": ("Comprador en proceso", "Active buyer"),
    "journey.POST_PURCHASE": ("Después de la compra", "After the purchase"),
    "journey.none": ("Ninguna", "None applies"),
    "sentiment.POSITIVE": ("Positivo", "Positive"),
    "sentiment.NEUTRAL": ("Neutro", "Neutral"),
    "sentiment.FRICTION": ("Fricción", "Friction"),
    # operations
    "on_day": ("el {day}", "on {day}"),
    "operations.backlog": ("Conversaciones abiertas a medianoche", "Chats open at midnight"),
    "operations.open": ("abiertas", "open"),
    "operations.waiting": ("sin responder", "waiting for an answer"),
    "operations.over_1d": ("abiertas más de un día", "open for more than a day"),
    "service.title": ("Qué pasó con las conversaciones", "What became of the chats"),
    "service.caption": (
        "De las conversaciones {kind}. El FCR se juzga sólo siete días después del cierre. B2Chat muestra únicamente "
        "las difusiones que tuvieron respuesta: no se da una tasa.",
        "Of {kind} chats. First-contact resolution is judged only seven days after the closing. B2Chat shows only "
        "broadcasts that were answered: no rate is given.",
    ),
    "service.caption.backlog": (
        "Todas las conversaciones, entrantes y salientes.",
        "All chats, incoming and outgoing.",
    ),
    "column.metric": ("Indicador", "Metric"),
    "column.value": ("Período", "Period"),
    "column.before": ("Antes", "Before"),
    # notes
    "notes.coverage": ("De dónde salen los números", "Where the numbers come from"),
    "notes.targets": ("Objetivos del SLA", "SLA targets"),
    "notes.targets.default": (
        "los que vienen por defecto, sin definir por la empresa (sla_targets.csv)",
        "the defaults, not set by the company (sla_targets.csv)",
    ),
    "notes.targets.set": (
        "definidos por la empresa (sla_targets.csv)",
        "set by the company (sla_targets.csv)",
    ),
    "notes.days": ("Días del período leídos por completo", "Days of the period read in full"),
    "notes.days.value": ("{read} de {days}", "{read} of {days}"),
    "notes.failed": ("Sincronizaciones fallidas en el período", "Failed syncs in the period"),
    "notes.quarantine": ("Registros en cuarentena, por arreglar", "Records in quarantine, to be fixed"),
    "notes.refreshed": ("Tablas calculadas", "Tables computed"),
    "notes.history": ("Historia disponible", "History available"),
    "notes.categorized": ("Conversaciones clasificadas", "Categorized chats"),
    "notes.glyphs": (
        "Signos que la tipografía no tiene, mostrados como □",
        "Characters that the typeface lacks, shown as □",
    ),
    "notes.whole_account": (
        "La cobertura y las reglas son de toda la cuenta, cualquiera que sea el filtro.",
        "Coverage and rules are those of the whole account, whatever the filter.",
    ),
    "notes.left_out.agent": (
        "El filtro es un agente: no hay tablas de departamentos ni de canales.",
        "The filter is an agent: there are no tables of departments and channels.",
    ),
    "notes.left_out.department": (
        "El filtro es un departamento: no hay tabla de agentes ni de canales.",
        "The filter is a department: there is no table of agents or channels.",
    ),
    "notes.left_out.provider": (
        "El filtro es un canal: no hay tabla de agentes ni de departamentos.",
        "The filter is a channel: there is no table of agents or departments.",
    ),
    "notes.left_out.direction": (
        "El filtro es una dirección: mensajes, conversaciones abiertas, agentes, departamentos y canales no se "
        "llevan por dirección.",
        "The filter is a direction: messages, open chats, agents, departments and channels are not kept by direction.",
    ),
    "notes.rules": ("Lo que no está bien en los registros de origen", "What is not right in the source's records"),
    "notes.rules.none": ("Ningún registro del período rompe una regla.", "No record of the period breaks a rule."),
    "column.rule": ("Regla", "Rule"),
    "column.severity": ("Gravedad", "Severity"),
    "column.broken": ("Casos", "Cases"),
    "column.checked": ("De", "Of"),
    "severity.info": ("aviso", "notice"),
    "severity.warning": ("advertencia", "warning"),
    "severity.error": ("error", "error"),
    "notes.definitions": ("Definiciones", "Definitions"),
    "definition.pickup": (
        "Tiempo de asignación|Desde que entra a la cola hasta que un agente la toma.",
        "Pickup|From the queue to an agent taking the chat.",
    ),
    "definition.first_response": (
        "Primera respuesta|Desde que entra a la cola hasta la primera respuesta de un agente.",
        "First response|From the queue to the first answer.",
    ),
    "definition.reply": (
        "Siguiente respuesta|Desde el primer mensaje del cliente sin contestar hasta la respuesta del agente.",
        "Next reply|From the customer’s first unanswered message to an agent’s answer.",
    ),
    "definition.handling": (
        "Tiempo de gestión|Desde la asignación hasta el cierre.",
        "Handling|From being taken to being closed.",
    ),
    "definition.resolution": (
        "Resolución|Desde que entra a la cola hasta el cierre.",
        "Resolution|From the queue to being closed.",
    ),
    "definition.percentiles": (
        "Mediana y p90|La mitad, y nueve de cada diez, no tardaron más.",
        "Median and p90|Half, and nine in ten, took no longer.",
    ),
    "definition.incoming": (
        "Entrantes|Las que inició el cliente, y las salientes o difusiones que el cliente respondió. Las demás las "
        "inició un agente: nadie espera en ellas.",
        "Incoming|Those that the customer began, and outgoing chats or broadcasts that the customer answered. The "
        "rest were begun by an agent: nobody waits in them.",
    ),
    "definition.n": (
        "n|De cuántas conversaciones (en «siguiente respuesta», de cuántas respuestas) sale la cifra.",
        "n|How many chats (of the next reply, how many replies) a figure is made of.",
    ),
    "definition.clock": (
        "Horario de atención|Cuentan sólo las horas en que se atiende, según el calendario; el tiempo corrido las "
        "cuenta todas.",
        "Business hours|Only the hours of service count, by the calendar; the wall clock counts all.",
    ),
    "definition.sla": (
        "SLA|Cumple la conversación que llega a tiempo a cada objetivo; incumple también la que se venció sin que "
        "nada pasara. La que aún no vence está pendiente y no cuenta.",
        "SLA|Met is what was in time for each target; what came due without anything happening is breached too. What "
        "is not due yet is pending and does not count in the rate.",
    ),
    "definition.backlog": (
        "Abiertas|Conversaciones sin cerrar a la medianoche local, de todos los tipos.",
        "Open|Chats of all kinds not closed at the local midnight.",
    ),
    "definition.change": (
        "Cambio|Contra el período anterior; no se da donde falta alguno de los dos o no está completo.",
        "Change|Against the period before; not given where one of the two is missing or not whole.",
    ),
    "definition.no_data": (
        "Sin datos|No hubo nada que contar; nunca quiere decir cero.",
        "No data|There was nothing to count; it never means zero.",
    ),
}

TEXTS |= {f"provider.{row['channel']}": (row["label_es"], row["label_en"]) for row in seeds.rows("channels")}
