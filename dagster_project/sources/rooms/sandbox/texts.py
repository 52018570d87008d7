"""What robots and staff say in rooms, and why cases are escalated: invented. Customers say what they say anywhere."""

ROBOT_GREETING = "Hola {nombre}, soy el asistente virtual de {firma}. Cuénteme en qué le puedo ayudar."
ROBOT_LINES = (
    "Encontré información sobre {proyecto}. ¿Quiere que le envíe los precios?",
    "Los lotes disponibles van desde {valor}. La separación es de un millón de pesos.",
    "Su próxima cuota es de {cuota} y vence el {fecha}.",
    "Puede pagar por PSE con el número de su contrato.",
    "La sala de ventas atiende de lunes a sábado de 8 a. m. a 6 p. m.",
    "Su caso quedó registrado. ¿Le puedo ayudar en algo más?",
    "El registro de la escritura se demora entre 15 y 20 días hábiles.",
)
ROBOT_HINTS = (
    "Sugerencia: el cliente pregunta por {proyecto}; ofrecer visita el {fecha}.",
    "Sugerencia: saldo del {lote}: {valor}. Última cuota pagada: {cuota}.",
    "Resumen: {nombre} ya escribió por este tema; revisar el caso anterior.",
)
ROBOT_HANDOVER = "Con gusto, lo comunico con un asesor. Un momento, por favor."
ROBOT_GOODBYE = "Me alegra haberle ayudado, {nombre}. Que tenga buen día."
ROBOT_TIMED_OUT = "Por inactividad cerramos esta conversación. Puede escribirnos cuando quiera."
ROBOT_ERRORS = ("timeout del servicio de saldos", "respuesta vacía del modelo", "límite de peticiones alcanzado")
GUEST_ASKS_PERSON = ("quiero hablar con una persona", "asesor por favor", "no me sirve, páseme con alguien", "asesor")
GUEST_CONTENT = ("listo, gracias", "perfecto, era eso", "ok gracias", "Muy bien, ya entendí 👍")

REASONS = (
    "El cliente pide una excepción en la forma de pago",
    "Cobro que no coincide con el contrato",
    "Garantía: tercera visita sin solución",
    "Devolución del dinero de la separación",
    "Error en la minuta de la escritura",
    "El cliente amenaza con una queja formal",
)
NOTES = (
    "Se ajustó el plan de pagos y el cliente quedó de acuerdo.",
    "Se corrigió el documento y se envió de nuevo.",
    "Se programó la visita técnica con el contratista.",
    "Se aprobó la devolución; la tramita contabilidad.",
)
SUMMARIES = (
    "Se resolvió la duda sobre {proyecto}.",
    "Se envió el estado de cuenta y el cliente confirmó el pago.",
    "Visita agendada para el {fecha}.",
    "El cliente no volvió a responder.",
)
ESCALATED = "El caso pasó a {nivel}."
AGAIN = ("Hola, otra vez el mismo problema", "buenas, no quedó bien lo de ayer", "me quedó una duda", "sigue igual 😕")

GROUP_NAMES = ("Ventas", "Cartera y trámites", "Postventa")
GROUP_LINES = (
    "Buenos días equipo",
    "¿Quién tiene el plano actualizado de {proyecto}?",
    "Ya lo subí a la carpeta compartida",
    "Reunión a las 3 con la fiducia, no falten",
    "El {lote} quedó separado",
    "Cliente de {proyecto} pregunta por la entrega, ¿alguien sabe?",
    "Listo, yo lo llamo",
    "Recuerden cerrar los casos antes del viernes",
    "Hoy no tenemos ruta a {proyecto}",
    "👍",
    "Confirmado con la notaría para el {fecha}",
    "¿Me cubren el turno de la tarde?",
)
DIRECT_LINES = (
    "¿Tienes un minuto?",
    "Sí, dime",
    "El cliente del {lote} quiere hablar con la gerencia",
    "Pásamelo, yo lo reviso",
    "Gracias!",
    "Ya quedó",
    "¿Almorzamos?",
)
FILES = (
    ("plano-{lote}.pdf", "application/pdf", 3_000_000),
    ("soporte-de-pago.jpg", "image/jpeg", 500_000),
    ("captura.png", "image/png", 1_500_000),
    ("nota-de-voz.ogg", "audio/ogg", 90_000),
    ("recorrido.mp4", "video/mp4", 18_000_000),
    ("estado-de-cuenta.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 60_000),
    ("documentos.zip", "application/zip", 4_000_000),
    ("archivo", "application/x-desconocido", 12_000),
)
