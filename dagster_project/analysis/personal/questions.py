"""What personal data a plain text asks for: the answer holds it, whatever it looks like."""

import re

_ASKS = re.compile(
    r"\?|\b(?:sus?|tus?) (?=\w)|\b(?:ayud\w{1,5}|colabor\w{1,5}|falt\w{1,4}|regal\w{1,4}|indi[cq]\w{1,6}|"
    r"confirm\w{1,6}|compart\w{1,6}|envi\w{1,6}|mand\w{1,6}|brind\w{1,6}|digit\w{1,5}|escrib\w{1,4}|ingres\w{1,4}|"
    r"suministr\w{1,5}|facilit\w{1,5}|proporcion\w{1,5}"
    r"|podria|puede|puedes|me da|dame|deme|dime|digame|necesit\w{1,5}|requier\w{1,3}|requerimos|por ?favor|cual|"
    r"cuales|solicit\w{1,4}|valid\w{1,6}|verific\w{1,6}|registr\w{1,6}|coloc\w{1,4}|anot\w{1,4}|pas[ae]\w{0,3}|"
    r"give|send|please|what|provide|share)\b|:\s*$",
    re.MULTILINE,
)
MIN_WORDS = 4  # fewer, such as "cédula del titular", are a question as they are
_NOT_OF_A_PERSON = (
    r"(?!\s(?:del?|de la) (?:proyecto|conjunto|edificio|lote|apartamento|inmueble|obra|torre|sala|banco|unidad))"
)
_KINDS = {
    kind: re.compile(rf"(?<![a-z])(?:{cue})(?![a-z]){_NOT_OF_A_PERSON}")
    for kind, cue in {
        "number": r"cedulas?|cc|c\.c\.?|documentos?(?: de identidad)?|identificacion|identidad|nit|rut|ruc|"
        r"run|dni|nie|nif|curp|rfc|cuit|cuil|cpf|ine|pasaporte|celular(?:es)?|telefonos?|tel|cel|movil|"
        r"whatsapp|contacto"
        r"|(?:su|tu|el) numero|numero(?: de)? (?:cuenta|celular|telefono|contacto|documento|cedula|tarjeta|"
        r"identificacion|whatsapp)|numero|cuentas?|tarjetas?|cvv|matriculas?|placas?|folio"
        r"|codigos?|clave|contrasena|pin|otp|token|nip|sus datos|los datos|datos (?:personales|basicos|"
        r"completos|de contacto)|phone|account number|id number|card",
        "secret": r"codigos?|clave|contrasena|pin|otp|token|nip|password|usuario",
        "name": r"nombres?|apellidos?|con quien (?:tengo el (?:gusto|placer)|hablo|me comunico|converso)|"
        r"quien (?:es|habla|escribe|me escribe|nos escribe|le escribe|lo atiende|la atiende|le atendio|te "
        r"atendio|la atendio|lo atendio|llama|va a \w{3,10}|firma\w{0,3}|sera\w{0,3})"
        r"|como (?:te|se|lo) llamas?|a quien|sus datos|los datos|datos (?:personales|basicos|completos|de "
        r"contacto)|titular|your name|who am i|speaking with",
        "address": r"direccion(?! de (?:correo|email|e-mail))|donde (?:vive|vives|reside|recide|esta "
        r"ubicad[oa])|domicilio|lugar de residencia|residencia|(?<!mail )(?<!ip )address",
        "mail": r"correos?|e-?mails?|mail",
        "birthday": r"fecha de nac\w*|nacimiento|cuando nacio|cumpleanos|date of birth|birth ?da[yt]e?|cuando "
        r"(?:cumple|naciste)",
    }.items()
}


def asked(text: str) -> frozenset[str]:
    """Of number, secret, name, address, mail and birthday what the text asks for."""
    if len(text.split()) > MIN_WORDS and not _ASKS.search(text):
        return frozenset()
    return frozenset(kind for kind, cue in _KINDS.items() if cue.search(text))


def is_aside(text: str) -> bool:
    """Whether the text is a word in between, such as "ok, siga", after which the other goes on with his own."""
    return len(text) <= 25 and not re.search(r"[?\d]", text)
