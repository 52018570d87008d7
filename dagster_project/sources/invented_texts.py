"""What the account's people say: invented Spanish sentences, by topic. Fields in braces are filled per chat."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One reason to write. `department` is an index into directory.DEPARTMENTS, `weight` how common the topic is."""

    tag: str
    department: int
    weight: int
    openings: tuple[str, ...]
    customer: tuple[str, ...]
    agent: tuple[str, ...]


TOPICS = (
    Topic(
        tag="Información de proyecto",
        department=0,
        weight=26,
        openings=(
            "Buenos días, quiero saber qué tienen disponible en {proyecto}",
            "hola buenas, precio de los lotes de {proyecto} xfa",
            "Vi la valla de {proyecto} y me llamó la atención, me cuentan más?",
            "Buenas tardes. De cuántos metros son los lotes en {proyecto}?",
            "Hola, estoy buscando finca de recreo para la familia, qué me ofrecen",
            "me pueden mandar fotos y precios de {proyecto} por favor 🙏",
            "En qué etapa va {proyecto}? Todavía se consigue en preventa?",
        ),
        customer=(
            "Y eso incluye la cuota inicial?",
            "a cuánto queda del pueblo más cercano",
            "Tiene vista a la montaña?",
            "El {lote} todavía está libre?",
            "mmm está un poquito caro, no hay descuento?",
            "Me interesa, déjeme lo consulto en la casa",
            "la portería es 24 horas?",
            "Perfecto, mándeme el plano",
            "qué tal es la vía para llegar, es pavimentada?",
        ),
        agent=(
            "En {proyecto} tenemos lotes desde {valor}.",
            "Le comparto el plano con las unidades disponibles.",
            "El {lote} está disponible hoy; lo podemos separar con un millón de pesos.",
            "La zona social tiene salón, sendero ecológico y juegos para niños.",
            "Con pago de contado manejamos un descuento del 5 %.",
            "Queda a 40 minutos de la ciudad, toda la vía es pavimentada.",
            "¿Para cuándo tiene pensado hacer la inversión?",
        ),
    ),
    Topic(
        tag="Visita",
        department=0,
        weight=12,
        openings=(
            "Hola, queremos ir a conocer {proyecto} el {fecha}, se puede?",
            "buenas, cómo hago para visitar la sala de ventas",
            "Tienen transporte para ir a ver {proyecto}?",
            "Quiero reservar un recorrido para cuatro personas",
        ),
        customer=(
            "A las 10 de la mañana nos queda bien",
            "Podemos llevar la mascota?",
            "me envía la ubicación porfa",
            "vamos dos adultos y dos niños",
            "Ay, ese día no puedo, será el siguiente?",
            "ya vamos en camino 🚗",
        ),
        agent=(
            "Claro que sí, le agendo la visita para el {fecha}.",
            "Le comparto la ubicación de la sala de ventas.",
            "La ruta sale a las 8:30 a. m. desde el punto de encuentro.",
            "Quedó confirmada su visita, la recibe {asesor}.",
            "Puede venir con su mascota, solo pedimos que traiga correa.",
        ),
    ),
    Topic(
        tag="Crédito",
        department=1,
        weight=9,
        openings=(
            "Con qué bancos trabajan para el crédito de {proyecto}?",
            "Buenas, me negaron el crédito, qué otra forma de pago hay?",
            "cuánto me quedaría la cuota si lo saco a 15 años?",
            "Hola, ustedes financian directamente?",
        ),
        customer=(
            "Soy independiente, qué papeles piden",
            "y la tasa es fija?",
            "mi esposa también puede aparecer en el crédito?",
            "El banco me pide el avalúo",
            "Gano dos mínimos, me alcanza?",
            "voy a juntar los papeles y le escribo",
        ),
        agent=(
            "Manejamos financiación directa hasta 36 meses sin intereses.",
            "La cuota le quedaría aproximadamente en {cuota}.",
            "Para independientes pedimos extractos de los últimos seis meses.",
            "Se puede sumar el ingreso de los dos titulares.",
            "Le ayudo a radicar la solicitud con el banco aliado.",
        ),
    ),
    Topic(
        tag="Subsidio",
        department=0,
        weight=6,
        openings=(
            "Buenas, el subsidio de vivienda sirve para {proyecto}?",
            "hola, tengo subsidio de la caja, cómo lo hago valer",
            "Se puede juntar el subsidio con el ahorro programado?",
        ),
        customer=(
            "Me vence en diciembre",
            "ya tengo la carta de asignación",
            "Y si ya tuve otro subsidio hace años?",
            "cuánto se demora el desembolso",
        ),
        agent=(
            "Sí señor, La Colina aplica por ser vivienda de interés social.",
            "Por favor me envía la carta de asignación vigente.",
            "El desembolso lo hace la caja cuando esté lista la escritura.",
            "En este caso el subsidio no aplica porque es un lote rural.",
        ),
    ),
    Topic(
        tag="Documentos",
        department=2,
        weight=12,
        openings=(
            "Doctora, cómo va la escritura del {lote}?",
            "Buenas, en qué notaría quedó lo de {proyecto}",
            "necesito copia de mi promesa de compraventa",
            "Hola, me cambió la cédula, hay que actualizar el contrato?",
            "Qué se necesita para dar un poder? es que vivo fuera del país",
        ),
        customer=(
            "El número de la cédula quedó mal escrito",
            "me dijeron que salía este mes",
            "Ya firmé, qué sigue?",
            "los gastos de notaría quién los paga",
            "le mando el poder escaneado",
            "Y el certificado de libertad?",
        ),
        agent=(
            "La minuta ya está en revisión en la notaría.",
            "Le escribo apenas tengamos la fecha de firma.",
            "El registro se demora entre 15 y 20 días hábiles.",
            "Los gastos notariales se pagan por mitades.",
            "Me confirma por favor su correo para enviarle la copia.",
        ),
    ),
    Topic(
        tag="Pagos",
        department=1,
        weight=18,
        openings=(
            "Buenas tardes, le envío el soporte de la cuota de este mes",
            "hola, cuánto es lo que debo del {lote}",
            "Buen día, por dónde puedo pagar? el botón de la página no abre",
            "Me llegó un cobro de {cuota} y ese no es el valor acordado",
            "quiero adelantar dos cuotas, cómo hago",
            "Será que me pueden correr la fecha de pago unos días?",
        ),
        customer=(
            "Ahí le mando la foto del recibo",
            "ya se ve reflejado?",
            "Lo hice por transferencia ayer en la noche",
            "a nombre de quién sale la cuenta?",
            "Necesito el paz y salvo",
            "listo, entonces pago el {fecha}",
            "No entiendo por qué me aparecen intereses",
        ),
        agent=(
            "Recibido, en 24 horas queda aplicado el pago.",
            "Su saldo a la fecha es de {valor}.",
            "La próxima cuota vence el {fecha} por valor de {cuota}.",
            "Le envío el estado de cuenta actualizado.",
            "Voy a escalar el caso con contabilidad y le confirmo.",
            "Puede pagar por PSE o por consignación a la fiducia.",
        ),
    ),
    Topic(
        tag="Postventa",
        department=4,
        weight=9,
        openings=(
            "Buenas, cuándo me entregan mi apartamento de {proyecto}?",
            "hola, la puerta del baño quedó descolgada",
            "Quiero poner una pérgola en el {lote}, necesito permiso?",
            "Se está entrando el agua por la ventana de la sala",
            "Buenos días, con quién hablo de la administración del conjunto",
        ),
        customer=(
            "Le mando video para que vea",
            "Eso está en garantía?",
            "a qué hora pasa el técnico",
            "Ya vinieron pero volvió a salir la humedad",
            "quedó muy bien, mil gracias",
            "y el medidor de la luz?",
        ),
        agent=(
            "Le programo la visita del técnico para el {fecha}.",
            "Registré su solicitud en el sistema de garantías.",
            "Para obras en el lote hay que presentar el diseño al comité.",
            "La entrega está programada para el {fecha}.",
            "¿Nos puede enviar fotos del daño, por favor?",
        ),
    ),
    Topic(
        tag="Reclamo",
        department=3,
        weight=6,
        openings=(
            "Estoy muy molesta, nadie da razón de mi caso",
            "Qué falta de seriedad, van tres veces que me cambian la fecha",
            "Voy a poner una queja formal, me han tenido esperando meses",
            "por qué me cobran algo que ya pagué??? 😡",
            "quiero el reembolso de mi dinero, ya no sigo con el negocio",
        ),
        customer=(
            "Eso mismo me dijeron la otra vez",
            "páseme con su jefe por favor",
            "Y hasta cuándo tengo que esperar",
            "me toca buscar un abogado entonces",
            "Espero que ahora sí cumplan",
            "no me contestan ni el teléfono",
        ),
        agent=(
            "Lamento mucho la situación, voy a revisar su caso personalmente.",
            "Entiendo su molestia. Escalé la solicitud a la gerencia.",
            "Le damos respuesta por escrito en cinco días hábiles.",
            "Ofrecemos disculpas por la demora.",
        ),
    ),
    Topic(
        tag="Otro",
        department=3,
        weight=2,
        openings=(
            "hola",
            "Buenas, dónde puedo dejar una hoja de vida?",
            "Vendemos materiales de construcción, con quién hablo de compras?",
            "perdón, me equivoqué de chat",
        ),
        customer=("ok", "bueno gracias", "a qué correo escribo", "👍"),
        agent=(
            "Con gusto, puede escribir a contacto@example.test.",
            "¿En qué le podemos ayudar?",
            "Le paso el dato al área encargada.",
        ),
    ),
)

CUSTOMER_SMALL_TALK = (
    "ok",
    "Listo",
    "Ah bueno",
    "Sí señora",
    "No, todavía no",
    "Un momento lo busco",
    "Ya le confirmo",
    "Me puede llamar mejor?",
    "Perdón, estaba manejando",
    "👍",
    "Y eso cuánto se demora?",
    "Ah ya entendí, gracias",
    "Es que en el celular no me abre",
    "Será que me lo puede mandar al correo?",
)
AGENT_SMALL_TALK = (
    "Permítame un momento, por favor.",
    "Claro que sí.",
    "Gracias por la espera, {nombre}.",
    "¿Me regala su número de documento, por favor?",
    "¿Le puedo ayudar en algo más?",
    "Ya lo estoy validando en el sistema.",
    "Con gusto, {nombre}.",
    "Le confirmo en un momento.",
    "¿Pudo abrir el archivo que le envié?",
    "Quedó registrado en su expediente.",
    "Si prefiere lo llamamos, ¿a qué hora le queda bien?",
)
GREETINGS = (
    "Hola {nombre}, le habla {asesor} de Inmobiliaria Ejemplo. ¿En qué le puedo colaborar?",
    "Buen día {nombre}, mi nombre es {asesor}. Con mucho gusto le ayudo.",
    "{nombre}, gracias por escribirnos. Soy {asesor}, ya reviso su solicitud.",
)
NUDGES = ("Hola?", "Sigo esperando respuesta", "buenas, alguien me puede atender?", "??", "Siguen ahí?")
THANKS = ("Muchas gracias!", "Mil gracias, muy amable 🙌", "Excelente atención, gracias", "Quedo muy agradecida")
PLAIN_ENDS = ("ok", "Listo, quedo pendiente", "Bueno, hasta luego", "Dale, yo le aviso")
COMPLAINTS = ("Pésimo servicio", "Nunca solucionan nada", "Muy demorado todo, la verdad", "Qué decepción con ustedes")
FAREWELLS = (
    "Con mucho gusto, que tenga buen día.",
    "Quedo al pendiente de cualquier inquietud. Feliz tarde.",
    "Gracias por comunicarse con Inmobiliaria Ejemplo.",
)
BOT_LINES = (
    "Hola 👋 Soy el asistente virtual de Inmobiliaria Ejemplo. Escriba el número de la opción que necesita:\n"
    "1. Conocer proyectos\n2. Pagos y cartera\n3. Escrituras y documentos\n4. Postventa\n5. Hablar con un asesor",
    "¿Cuál es su nombre completo?",
    "¿Sobre qué proyecto desea información? 1. El Bosque 2. Majagua 3. La Colina",
    "¿Autoriza el tratamiento de sus datos personales? 1. Sí 2. No",
    "Gracias. Un momento, lo comunicamos con un asesor.",
    "No entendí su respuesta. Por favor escriba solo el número de la opción.",
)
BOT_PICKS = ("Hola", "1", "{nombre}", "2", "Sí", "5", "asesor")
BROADCASTS = (
    "{nombre}, este fin de semana abrimos las puertas de {proyecto}. Responda SÍ y le reservamos cupo.",
    "Hola {nombre}: su cuota de {cuota} vence el {fecha}. Si ya pagó, haga caso omiso a este mensaje.",
    "¡Última etapa de {proyecto}! Lotes desde {valor}. ¿Quiere más información?",
)
POLL_QUESTION = "De 1 a 5, ¿cómo califica la atención que recibió?"
CAPTIONS = ("Soporte de pago", "Plano actualizado", "Así quedó", "Mire por favor", "Cédula")
