"""Invented personal data in the words of chats: what stands in a line's first part must not reach Claude.

A line is `kind | secret; secret | message | message`; a message that begins with > is the agent's. Of a secret nothing
may be found: not as it stands, not in plain letters, not by its digits alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.analysis.personal.plain import plain


@dataclass(frozen=True)
class Canary:
    """One chat that holds secrets."""

    kind: str
    secrets: tuple[str, ...]
    said: tuple[str, ...]


def read(text: str) -> tuple[Canary, ...]:
    lines = (line.split(" | ") for line in text.strip().splitlines())
    return tuple(
        Canary(kind.strip(), tuple(secrets.split("; ")), tuple(one.replace("\\n", "\n") for one in said))
        for kind, secrets, *said in lines
    )


def found_in(secrets: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The secrets that stand in texts: as they are, in plain letters, or by their digits, whatever is in between."""
    whole = "\n".join(texts)
    letters, placeholders = plain(whole).text, re.compile(r"\[[A-Z]+_\d+\]")
    digits = re.sub(r"\D", "", plain(placeholders.sub("", whole)).text)
    return [
        secret
        for secret in secrets
        if (secret in whole and not secret.isalpha()) or _word_in(secret, letters) or _digits_in(secret, digits)
    ]


def _word_in(secret: str, letters: str) -> bool:
    return bool(re.search(rf"(?<![a-z\d]){re.escape(plain(secret).text)}(?![a-z\d])", letters))


def _digits_in(secret: str, digits: str) -> bool:
    own = re.sub(r"\D", "", plain(secret).text)
    return len(own) >= 4 and own in digits


TUNED = read("""
card | 4111 1111 1111 1111 | tarjeta 4111 1111 1111 1111
card | 5500000000000004 | pagué con la 5500000000000004 vence 12/27
card | 3782 822463 10005 | es amex 3782 822463 10005
card | 6011-1111-1111-1117 | le dejo el número 6011-1111-1111-1117 por si sirve
card | 4539.5787.6362.1486 | $4539.5787.6362.1486
card | 4111111111111112 | la tarjeta es 4111111111111112
card | 4567 | > ¿en qué termina su tarjeta? | termina en 4567
card | 737 | el cvv es 737
card | 4000 0566 5566 5556 | visa debito 4000 0566 5566 5556 a nombre mío
iban | ES91 2100 0418 4502 0005 1332 | mi iban ES91 2100 0418 4502 0005 1332
iban | ES9121000418450200051332 | pasenlo a ES9121000418450200051332 gracias
iban | ES91 2100 0418 4502 0005 5578 | mi iban ES91 2100 0418 4502 0005 5578
account | 91255577705 | consigne a 91255577705 bancolombia
account | 032180000118359719 | mi clabe 032180000118359719
account | 123-456789-01 | cuenta de ahorros 123-456789-01
account | 4021 | > a qué cuenta le consignamos? regáleme el número | la que termina en 4021
account | 0110-0123-45-0100012345 | número de cuenta corriente: 0110-0123-45-0100012345 BBVA
account | 488 3344 | nequi 488 3344
account | 2850590940090418135201 | cbu 2850590940090418135201
cedula | 1036555772 | el titular es 1036555772
cedula | 1.036.555.772 | 1.036.555.772
cedula | 52 123 456 | cc 52 123 456 de Bogotá
cedula | 79456123 | C.C. No. 79456123
cedula | 5212 | > ¿su cédula? | 5212
cedula | 43.567.890 | > me confirma el documento por favor | claro, 43.567.890
cedula | 1036555772 | > Por favor su número de cédula | 1036 | 555 | 772
cedula | 1098765432 | > regáleme la cédula | 1098 | > ajá | 765432
cedula | 71.234.567 | mi esposo con 71.234.567 firma también
cedula | 71234567 | soy identificado con 71234567 de envigado
cedula | 1020304050 | la ced es la 1O2O3O4O5O
cedula | 1152201334 | cedula:1152201334
cedula | 8-123-4567 | mi cédula panameña 8-123-4567
cedula | V-12345678 | venezolano V-12345678
cedula | E-84567123 | cédula de extranjería E-84567123
cedula | 1717171717 | en ecuador soy 1717171717
cedula | 98.765.432 | mi mamá es la 98.765.432 ella compra
cedula | 1144033221 | la foto de la c.c 1144033221 va adjunta
nit | 900555775-2 | facturar a 900555775-2
nit | 900.123.456-8 | NIT 900.123.456-8
nit | 860034313 | la empresa es nit 860034313
nit | 830.999.111 | a nombre de la sociedad 830.999.111
curp | GOMC800101HDFRRR09 | mi curp GOMC800101HDFRRR09
curp | PEPJ900215MJCRRN04 | PEPJ900215MJCRRN04
rfc | GOMC800101AB1 | RFC GOMC800101AB1
rfc | ABC 010203 XY9 | facture a ABC 010203 XY9
rut | 12.345.678-5 | mi rut 12.345.678-5
rut | 12345670-k | 12345670-k es el de ella
dni | 12345678Z | dni 12345678Z
dni | 87654321-X | soy el 87654321-X
dni | 45678912 | > DNI? | 45678912
nie | X1234567L | nie X1234567L
nie | Y-7654321-G | tengo el Y-7654321-G desde 2020
cuit | 20-12345678-6 | cuit 20-12345678-6
cuit | 27123456780 | factura A para 27123456780
cpf | 529.982.247-25 | meu cpf 529.982.247-25
ruc | 20100070970 | ruc 20100070970
ruc | 1790011674001 | 1790011674001 es la empresa
passport | AB123456 | pasaporte AB123456
passport | G12345678 | viajo con G12345678
passport | XDA 456789 | el pasaporte es XDA 456789
passport | PAE123456 | > número de pasaporte | PAE123456
plate | KLM 482 | placas KLM 482
plate | ABC123 | el carro es ABC123 para el parqueadero
plate | XYZ12D | moto XYZ12D
plate | 1234 BCD | mi coche 1234 BCD
plate | HGF-482 | entra el HGF-482 mañana
plate | JSK-12-34 | placa JSK-12-34
matricula | 50N-20123456 | matrícula inmobiliaria 50N-20123456
matricula | 001-1234567 | el folio 001-1234567
matricula | 50C-1512345 | predio 50C-1512345
matricula | 370-98765 | matricula 370-98765 de cali
matricula | AAA0123ABCD | chip AAA0123ABCD
phone | 3155557787 | llámeme al 3155557787
phone | 315 555 77 87 | 315 555 77 87
phone | +57 (315) 555-7787 | +57 (315) 555-7787
phone | 315.555.7787 | mi cel 315.555.7787
phone | 601 234 5678 | fijo 601 234 5678
phone | 604-4445566 | 604-4445566 ext 12
phone | 612 34 56 78 | en españa 612 34 56 78
phone | +34 612345678 | +34 612345678
phone | 55 1234 5678 | cdmx 55 1234 5678
phone | +54 9 11 2345-6789 | +54 9 11 2345-6789
phone | 3 1 5 5 5 5 7 7 8 7 | 3 1 5 5 5 5 7 7 8 7
phone | 3155557787 | 315-555\\n7787
phone | 3155557787 | 315 | 555 | 7787
phone | 3155557787 | ３１５５５５７７８７
phone | 3155557787 | 3️⃣1️⃣5️⃣5️⃣5️⃣5️⃣7️⃣7️⃣8️⃣7️⃣
phone | 3155557787 | 3\u200b1\u200b5\u200b5\u200b5\u200b5\u200b7\u200b7\u200b8\u200b7
phone | 3155557787 | ③①⑤⑤⑤⑤⑦⑦⑧⑦
phone | 3155557787 | 315/555/77/87
phone | 315_555_7787 | 315_555_7787
phone | 3105550787 | 31O555O787
phone | 3155557787 | 3*1*5*5*5*5*7*7*8*7
phone | 4445566 | marque el 4445566
phone | 444 55 66 | el de la casa 444 55 66
phone | ٣١٥٥٥٥٧٧٨٧ | ٣١٥٥٥٥٧٧٨٧
phone | 3155557787 | 𝟑𝟏𝟓𝟓𝟓𝟓𝟕𝟕𝟖𝟕
words | tres uno cinco cinco | mi cel es tres uno cinco cinco cinco cinco siete siete ocho siete
words | tres quince cinco cincuenta y cinco | tres quince cinco cincuenta y cinco setenta y siete ochenta y siete
words | trescientos quince | anote trescientos quince quinientos cincuenta y cinco setenta y siete ochenta y siete
words | uno cero tres seis | la cedula: uno cero tres seis cinco cinco cinco siete siete dos
words | doble cinco | tres quince doble cinco doble siete ocho siete
words | tres, uno, cinco | tres, uno, cinco, cinco, cinco, cinco, siete, siete, ocho, siete
words | cinco dos uno | > ¿su documento? | cinco dos uno
words | three one five | call three one five five five five seven seven eight seven
words | quince 555 siete ocho | tres quince 555 siete ocho siete
words | mil treinta y seis | mil treinta y seis quinientos cincuenta y cinco setecientos setenta y dos
mail | pepita.z@correo.example | pepita.z@correo.example
mail | pepita.z arroba gmail punto com | escriban a pepita.z arroba gmail punto com
mail | juan.perez @ empresa.example | juan.perez @ empresa.example
mail | zuli87 | zuli87 arroba hotmail.com
mail | mafe_gomez | mafe_gomez(at)yahoo.com
mail | mafe gomez | mafe gomez arroba outlook punto es
mail | pepe.rios | pepe.rios@gmail
mail | lina.duque | > su correo? | lina.duque
mail | p e p i t a | p e p i t a @ gmail . com
mail | carmenza22 | carmenza22[arroba]gmail[punto]com
mail | lucho guion bajo 77 | lucho guion bajo 77 arroba gmail punto com
mail | tatis＠correo．example | tatis＠correo．example
mail | anita.b | anita.b | @gmail.com
address | 7 numero 72 21 | la direccion es carrera 7 numero 72 21
address | 7 # 72-21 | cra 7 # 72-21
address | 43A # 1-50 | vivo en la Cra 43A # 1-50 apto 302
address | 100 No. 15-20 | Calle 100 No. 15-20
address | 26 sur # 78h - 12 | cll 26 sur # 78h - 12 torre 3
address | 45 72 21 | kr 45 72 21
address | 34 bis 12 | diagonal 34 bis 12 - 50
address | 39b 78 14 | transversal 39b 78 14
address | 68 con 13 | av 68 con 13-40
address | Mayor 5 | C/ Mayor 5, 3ºB
address | CP 06700 | col. Roma, CP 06700
address | 06700 | c.p. 06700
address | Insurgentes Sur 1602 | Av. Insurgentes Sur 1602, piso 3
address | Providencia 1234 | avenida Providencia 1234 depto 502
address | Reforma 222 | paseo de la reforma 222
address | Serrano 45 | calle de Serrano 45
address | manzana 8 casa 14 | vivo en manzana 8 casa 14 barrio nuevo
address | 12 este 5-30 | > ¿cuál es su dirección? | 12 este 5-30
address | laureles 402 | > dónde vive? | edificio laureles 402
address | km 4 vía las palmas casa 12 | mi casa queda en km 4 vía las palmas casa 12
address | Juan Bravo 12 | dirección: Juan Bravo 12
address | 80 24 | carrera 80 24 - 15
address | ochenta numero veinticuatro | calle ochenta numero veinticuatro quince sesenta y siete
url | tok_9f8e7d5583 | vea https://pagos.example.com/r?token=tok_9f8e7d5583&u=1
url | clave123 | https://usuario:clave123@portal.example.com/
url | 1036555772 | https://portal.example.com/cliente/1036555772
url | a8f3k2 | www.pagos.example/f/a8f3k2
url | carolina-ruiz | http://casas.example.com/carolina-ruiz
url | 573155557787 | wa.me/573155557787
url | QWxhZGRpbjpv | https://x.example.com/#QWxhZGRpbjpv
secret | 482913 | el código es 482913
secret | 482 913 | codigo de verificación: 482 913
secret | Perro2024! | mi contraseña es Perro2024!
secret | abretesesamo | clave: abretesesamo
secret | 0007 | el pin 0007
secret | sk-ant-api03-xyZ12ab34 | sk-ant-api03-xyZ12ab34
secret | ghp_16C7e42F292c6912E7 | ghp_16C7e42F292c6912E7
secret | eyJhbGciOiJIUzI1NiJ9 | token eyJhbGciOiJIUzI1NiJ9
secret | 9173 | > dígame el código que le llegó | 9173
secret | AKIAIOSFODNN7EXAMPLE | AKIAIOSFODNN7EXAMPLE
secret | 55102 | me llegó el código 55102
secret | Luna.77 | usuario pepe clave Luna.77
birthday | 15/03/1980 | nací el 15/03/1980
birthday | 15 de marzo de 1980 | fecha de nacimiento 15 de marzo de 1980
birthday | 3-7-91 | > ¿fecha de nacimiento? | 3-7-91
birthday | 1975-12-01 | cumpleaños: 1975-12-01
birthday | 7 de agosto | > cuándo nació? | el 7 de agosto
name | Carolina; Ruiz | mi esposa Carolina Ruiz va a firmar
name | Hernán | habla con don Hernán
name | hernán | habla con don hernán que él sabe
name | carolina; ruiz | mi esposa carolina ruiz va a firmar
name | Yurleidis | la señora Yurleidis me atendió
name | jhonatan | pregunte por jhonatan en la obra
name | Wilmer; Quitián | Atentamente,\\nWilmer Quitián
name | wilmer; quitian | att: wilmer quitian
name | marta | ya hablé con marta y nada
name | Andrés; Felipe; Cano | soy Andrés Felipe Cano
name | andres; cano | soy andres cano
name | luz; marina; zapata | la promesa va a nombre de luz marina zapata
name | nubia | doña nubia no contesta
name | Zoraida; Chiquinquirá | me llamo Zoraida Chiquinquirá
name | gladys | mi mamá gladys también compra
name | Lucía | > ¿con quién tengo el gusto? | Lucía
name | paco; yepes | > su nombre? | paco yepes
name | Xochitl; Tepoz | > nombre completo por favor | Xochitl Tepoz
name | iker; goñi | > con quien hablo | con iker goñi
name | Ximena | > Buenas, le habla Ximena
name | ximena | > hola, soy ximena de cartera
name | Gómez | el doctor Gómez de la notaría
name | Restrepo | el ingeniero Restrepo
name | julián | mi hermano julián paga
name | Аndrés | soy Аndrés Mejía
name | Ｃａｒｏｌｉｎａ | habla Ｃａｒｏｌｉｎａ
name | rosa; martinez | rosa martinez firma el lunes
file | carolina_ruiz; 1036555772 | [archivo] cedula_carolina_ruiz_1036555772.pdf
file | Promesa Hernán Yepes | [archivo] Promesa Hernán Yepes.docx
file | 43567890 | [imagen] CC 43567890.jpg
mixed | Pedro; Nel; 71234567; 3155557787 | Pedro Nel\\nCC 71234567\\nCel 3155557787
mixed | Sofía; 52123456; sofi@correo.example | > datos completos por favor | Sofía Luna\\n52123456\\nsofi@correo.example
""")

# Written in other words than those above, before redaction had met them.
HELD_OUT = read("""
card | 4242424242424242 | le paso mi plástico 4242424242424242 pa que descuente
card | 5105 1051 0510 5100 | cobren ahí: 5105 1051 0510 5100 exp 09/28 código 123
card | 3566002020360505 | esa JCB3566002020360505 ya no sirve
card | 123 | > el código de seguridad de atrás? | 123
card | 8821 | > últimos 4 dígitos de la tarjeta | 8821
iban | GB29 NWBK 6016 1331 9268 19 | transfiera al GB29 NWBK 6016 1331 9268 19
account | 70012345678 | ahorro a la mano 70012345678
account | 4567 8901 2345 | mi número de producto davivienda es 4567 8901 2345
account | 002-191-12345678-90 | BCP soles 002-191-12345678-90
account | 3009 | > número de cuenta para el reembolso? | es la 3009 nomás
cedula | 1.098.777.111 | somos dos: mi señora 1.098.777.111 y yo
cedula | 80123456 | número de identidad del comprador 80123456
cedula | 33.445.566 | registre a mi papá 33.445.566
cedula | 1017 | > me ayuda con su número de documento | termina en 1017
cedula | 1067890123 | id: 1067890123
cedula | 10.20.30.40.50 | 10.20.30.40.50 ese es el mío
cedula | 1022 333 444 | > Cédula del titular: | un momento | 1022 333 444
cedula | 16789 | tengo cédula vieja de cinco, 16789
nit | 901444333 | el RUT de la empresa dice 901444333
nit | 8001122339 | emitir factura electrónica al tercero 8001122339
curp | LOPM850412MDFPRR08 | va la clave única LOPM850412MDFPRR08
rfc | XAXX010101000 | mi registro de contribuyentes XAXX010101000
dni | 11222333 | soy argentina, mi documento nacional 11222333
nie | Z1122334A | tengo permiso de residencia Z1122334A
rut | 9.876.543-2 | rol único 9.876.543-2
passport | FB998877 | adjunto hoja del pasaporte colombiano FB998877
passport | C01X00T47 | passport C01X00T47
plate | TKR-905 | déjenme entrar el carro TKR-905
plate | bnm45e | la moto es bnm45e
matricula | 50S-40112233 | certificado de tradición 50S-40112233
matricula | 294-12345 | el predio tiene folio de matrícula número 294-12345
phone | 3201112233 | escríbame al wasap: 3201112233
phone | 320 1 112233 | 320 1 112233 ese es
phone | +52 1 33 1234 5678 | +52 1 33 1234 5678
phone | 0034-655-11-22-33 | 0034-655-11-22-33 de mi hija
phone | 3201112233 | 320 - | 111 - | 2233
phone | 3201112233 | 3 2 0, 1 1 1, 2 2 3 3
phone | 3201112233 | 3.2.0.1.1.1.2.2.3.3
phone | 3201112233 | 320 111 22 y 33
phone | 3201112233 | 320(111)2233
phone | 3201112233 | tel:3201112233;ext=5
phone | 5553322 | 555 33 22 oficina
words | tres veinte once once | mi teléfono, tres veinte once once veintidós treinta y tres
words | setenta y uno doscientos | cédula setenta y uno doscientos treinta y cuatro quinientos sesenta y siete
words | nueve uno siete tres | la clave dinámica: nueve uno siete tres
mail | gloria.p | gloria.p@empresa . com . co
mail | nico_r | mándelo al nico_r en arroba gmail
mail | ventasluz | mi mail ventasluz @hotmail.com
mail | oscar77 | oscar77 at outlook dot com
mail | j.mejia | correo: j.mejia(arroba)une.net.co
address | 64a 22 | Queda en la Carrera 64A No 22 - 41
address | 127 # 15 | Cl. 127 # 15 - 36 Int 4 Apto 1102
address | Gran Vía 28 | Gran Vía 28, 4º izquierda
address | Hidalgo 77 | envíelo a Hidalgo 77 interior 3, colonia centro
address | 28013 | código postal 28013 Madrid
address | calle 5 sur | soy vecino de la calle 5 sur número 30 - 12
address | Los Cerezos 14 | urb. Los Cerezos 14
url | s3cr3t | entra con https://api.example.com/?key=s3cr3t
url | abc-def | te dejo meet.example.com/abc-def
url | 1098777111 | drive.example.com/docs?id=1098777111
secret | Casa*2025 | entre con Casa*2025 que es mi contraseña
secret | 771204 | 771204 me llegó por mensaje para confirmar
secret | 3391 | la clave del cajero 3391
secret | glpat-A1b2C3d4E5f6 | usen glpat-A1b2C3d4E5f6
birthday | 02/11/1968 | mi mamá nació 02/11/1968
birthday | 9 de abril del 77 | cumplo el 9 de abril del 77
name | Esneda | mi cuñada Esneda lo recoge
name | esneda; morcillo | quien firma es esneda morcillo
name | Baldomero | dígale a Baldomero que pase
name | otoniel | el maestro otoniel dejó mal la puerta
name | Yuranis; Polo | Gracias\\nYuranis Polo
name | fercho | > ¿cómo te llamas? | fercho
name | Doris | Doris, ya le envié el comprobante
name | doris | doris buenas tardes, ya pagué
name | Quintero | la asesora Quintero nunca respondió
name | maría; josé; Río | figura María José del Río como dueña
name | wilmar | con el señor wilmar quedamos en eso
name | Luz; Dary | Luz Dary me dijo que sí
name | Nhora | > Con mucho gusto, soy Nhora de servicio al cliente
file | Escritura_Benítez | [archivo] Escritura_Benítez_2024.pdf
""")

# A second time, after redaction had learnt from those: ten of these were sent at first.
HELD_OUT_LATER = read("""
card | 4916338506082832 | ya no quiero la visa platino, era la 4916338506082832
card | 09/27 | > fecha de vencimiento de la tarjeta? | 09/27
account | 33700998877 | pueden depositar en av villas 33700998877
account | 1122 | > ¿me confirma los últimos dígitos de la cuenta? | son 1122
account | 200445566 | mi llave bre-b es 200445566
cedula | 1.000.456.123 | Lina 1.000.456.123
cedula | 66778899 | con el documento N° 66778899 expedido en Cali
cedula | 1 0 4 5 6 7 8 9 0 1 | va: 1 0 4 5 6 7 8 9 0 1
cedula | 10456 | > me indica por favor el documento del codeudor | empieza 10456
cedula | 1.045.678.901 | pongan 1.045.678.901 en la factura
nit | 901.222.333-4 | somos persona jurídica 901.222.333-4
dni | 44556677Q | el 44556677Q caduca en mayo
plate | GHT 91F | déjeme meter la moto, GHT 91F
phone | 311 222 33 44 | a este no, al otro: 311 222 33 44
phone | 6017776655 | me pueden marcar? 6017776655
phone | 3 112223344 | 3-112223344
phone | 311 | 3 once doscientos veintidós treinta y tres cuarenta y cuatro
phone | 3112223344 | mi número es 311 | perdón | 2223344
words | uno cero cuatro | mi número de cédula, uno cero cuatro cinco seis siete
words | cero cero cuatro siete | el pin es cero cero cuatro siete
mail | claudia.reyes | claudia.reyes @ yahoo . es
mail | diegor | diegor@ejemplo,com
mail | rosita88 | al correo rosita88 gmail.com
mail | jp2020 | jp2020 (arroba) live (punto) com
address | 15 # 93 | nos vemos en mi apto de la 15 # 93-60
address | 8 oeste # 4 | Cra 8 oeste # 4 - 21
address | 114 A 53 | Ak 114 A 53 20
address | 200 | Av. Libertador 200 piso 7 B
address | Alcalá 150 | c/ de Alcalá, 150, 2ºD
url | Zx91 | pague aqui: bit.ly/Zx91
secret | Mafe1990* | mi clave del portal: Mafe1990*
secret | 884211 | me pidieron un token: 884211
secret | miperro7 | usuario: carmen / contraseña: miperro7
birthday | 22/08/85 | soy del 22/08/85
birthday | 5 de mayo de 1990 | mi fecha es 5 de mayo de 1990
name | Chepe | mi tío Chepe le llevó las llaves
name | ramona | mi vecina ramona compró la del frente
name | Betancourt | doctora Betancourt, buenas
name | Yamileth; Ospina | titular: Yamileth Ospina
name | edilberto | ayer vino edilberto a medir
name | Aleida | > Soy Aleida, tu asesora
name | ítalo | pásame con ítalo por favor
name | Guerrero; Solano | los señores Guerrero Solano
name | Keyla | Keyla mi hija es la que va
name | hermes; pinzón | el notario es hermes pinzón
name | Zully | > ¿a nombre de quién queda? | de Zully
name | Rosmery; Angulo | Rosmery Angulo
name | dayro | dayro
file | WhatsApp Juan Carlos | [archivo] WhatsApp Juan Carlos 2025.pdf
""")

# Written by an attacker before he saw the code: 14 of these 110 chats leaked at first.
ATTACKERS = read("""
co | Ovidio; Restrepo | buenas, hablas con la esposa de Ovidio Restrepo, el del apto 502
co | Luz Dary; Ocampo; Zuluaga | > ¿a nombre de quién está el contrato? | de mi mamá, Luz Dary Ocampo Zuluaga
co | 1 017 234 998 | > me regalas la cedulita | un millón de gracias, es 1 017 234 998
co | 03124457789 | consignenme a la ahorro a la mano 03124457789 de bancolombia
co | tres doce cuatro | mi nequi, tres doce cuatro cuarenta y cinco setenta y siete ochenta y nueve
co | 43 # 18 sur 135 | vivo en la crr 43 # 18 sur 135 torre 2 apto 1804 envigado
co | manzana F casa 12 | manzana F casa 12 barrio Villa Serena, Ibagué
co | Edilma; Cuesta | le escribe Wilmar, hermano de la señora Edilma Cuesta
co | Hernando; Mosquera; Blanca Nubia; Tique | codeudor don Hernando Mosquera, fiadora Blanca Nubia Tique
co | KLM 482 | la placa de mi carro para el parqueadero es KLM 482
co | qwe12f | moto placa qwe12f
co | 901.447.238-6 | nit de la empresa 901.447.238-6 razon social Inversiones Tafur
co | 50C-1893345 | el chip catastral AAA0123XYZT y la matricula inmobiliaria 50C-1893345
co | pelusita_89 | mándelo a pelusita_89 arroba hotmail punto com
co | jairo.tabares87 | mi correo es jairo.tabares87 y termina en gmail
co | 14 de marzo del 86 | nací el 14 de marzo del 86 por si lo necesita
co | 140386 | > fecha de nacimiento? | 140386
co | 8 4 4 1 0 2 | el código que me llegó al celular fue 8 4 4 1 0 2
co | Toronja2019* | le pasé la clave del wifi al señor de internet: Toronja2019*
co | elbarcoRojo77 | para entrar al portal uso aurelio y de clave pongo elbarcoRojo77
co | 71'334'218; 43'887'120 | la cc de mi esposo 71'334'218 y la mia 43'887'120
co | 3 0 0 7 8 9 1 2 2 3 | 3 0 0 7 8 9 1 2 2 3 ese es el whatsapp de mi hija
co | 444 87 21 | llamenme al fijo 604 444 87 21 ext 3
co | Arbeláez; Toro | Cordialmente,\\nMaría Fernanda Arbeláez Toro\\nAsesora comercial
co | Echavarría | quedo atenta\\nAtt: Dra. Pilar Echavarría
co | Londoño | > Buenos días, mi nombre es Katherin Londoño de Arrendar, ¿en qué le colaboro?
co | Gildardo; Pineda | ya le transferí desde la cuenta de Gildardo Pineda, aprobación 00482913
co | Abelardo | doña Ruth dijo que el señor Abelardo iba a abrir
co | 1.045.667.231; Samuel David | TI 1.045.667.231 es la de mi hijo Samuel David
co | 987654321012345; Yulimar; Colmenares | PEP 987654321012345 soy venezolana, Yulimar Colmenares
mx | GOML 850312 | mi CURP es GOML 850312 MJCNRP 08
mx | GOML850312QX4 | factúrenlo al rfc GOML850312QX4 porfa
mx | 0121 8000 1234 5678 95 | clabe 0121 8000 1234 5678 95 bbva
mx | 32-90-76-1234-5 | el NSS de mi papá es 32-90-76-1234-5
mx | 41 82 09 33 | mi celular con lada es cincuenta y cinco, 41 82 09 33
mx | Insurgentes Sur 1602 | Estoy en Av. Insurgentes Sur 1602, int 4B, col. Crédito Constructor, CP 03940
mx | fresnos 18 | privada de los fresnos 18 fracc. Las Ánimas
mx | Baltazar; Ceniceros | quien recibe es el inge Baltazar Ceniceros
mx | Chayo; Eleuterio | soy la maestra Chayo, de parte de Don Eleuterio
mx | xochitl; iturbide | > me confirma su nombre completo por favor? | claro que sí | xochitl nava iturbide
mx | GMLPRD85031214M400 | mi INE clave de elector GMLPRD85031214M400
mx | NRX-45-71 | las placas son NRX-45-71 de Jalisco
mx | 4152313344556672; 713 | tarjeta 4152 31** no, completa: 4152313344556672 vence 08/29 los tres de atrás 713
mx | G38472915 | mi pasaporte G38472915
mx | lupita.cenizas; lupitacz_9 | mi insta es @lupita.cenizas y en tiktok lupitacz_9
pe | cuatro cinco seis siete ocho | mi DNI: cuatro cinco seis siete ocho nueve cero uno
pe | 10456789012; Percy; Quispe; Mamani | el ruc es 10456789012 de mi hermano Percy Quispe Mamani
pe | 987-654-321; Dionicia | yapeame al 987-654-321 sale a nombre de Dionicia
pe | Huallaga 455 | Jr. Huallaga 455 dpto 302 Cercado
pe | Mz. K Lt. 14 | Mz. K Lt. 14 AAHH Los Jazmines, SJL
pe | 19100234567801 | CCI 002-19100234567801-54
pe | 001234567 | carnet de extranjeria 001234567
pe | Fiorella; Teófilo; Huamán | la señorita Fiorella me atendió, ella habló con mi tío Teófilo Huamán
pe | Milagros; Wilder; Ccori | mi hijita se llama Milagros y el papá Wilder Ccori
pe | 20171234H | Mi código de alumno es 20171234H
cl | 12.345.678-5 | mi rut 12.345.678-5
cl | 9876543-3; Isidora; Fuenzalida | RUN 9876543-3 a nombre de la Isidora Fuenzalida
cl | doce millones trescientos | rut doce millones trescientos cuarenta y cinco mil seiscientos ocho guion cinco
cl | 18234567 | deposite en cuenta rut 18234567 banco estado
cl | Los Aromos 2230 | soy vecino de Los Aromos 2230 depto 1105, Ñuñoa
cl | Undurraga | mi polola la Cata Undurraga tiene las llaves
cl | 8765 4321 | fono +56 9 8765 4321
cl | BBCL-34 | patente BBCL-34 color gris
cl | Nelson | > con quién tengo el gusto? | con el Nelson nomás
cl | Errázuriz | Atte.\\nJ. Errázuriz V.
ar | vane.mate.luna; 2850590940090418135201 | te paso mi alias vane.mate.luna y el cbu 2850590940090418135201
ar | 27-28033514-8 | cuil 27-28033514-8
ar | 28 033 514; 8.456.211 | dni 28 033 514, mi viejo 8.456.211
ar | 4455-6677 | escribime al 11 15 4455-6677
ar | Gurruchaga al 1800 | vivo en Gurruchaga al 1800, timbre 3B, toca y decí que sos de la inmobiliaria
ar | Mirta; Szuldman; Héctor | la dueña, Mirta Szuldman, no contesta; el marido se llama Héctor
ar | AE 452 KT | patente AE 452 KT
ar | Bevilacqua | che soy el Tano Bevilacqua, el plomero
ar | Peralta Ramos | anotá: G. Peralta Ramos 4to B
ar | roldan | mi mail vanesa (punto) roldan (arroba) yahoo (punto) com (punto) ar
es | 12345678 Z | mi NIF es 12345678 Z
es | x-1234567-l; Oyinkan; Adewale | nie: x-1234567-l, me llamo Oyinkan Adewale
es | 2100 0418 4502 0005 1332 | IBAN ES91 2100 0418 4502 0005 1332
es | 6 12 34 56 78; Begoña | Tlf. 6 12 34 56 78, pregunte por Begoña
es | Arapiles, 14 | C/ Arapiles, 14, 3º Dcha, 28015
es | Arantxa; Goikoetxea | el piso está a nombre de mi ex, Arantxa Goikoetxea
es | 28/12345678/40 | SS 28/12345678/40
es | 4821 LKF | Matrícula 4821 LKF
es | 9872023VH5797S0001WX | ref catastral 9872023VH5797S0001WX
es | Txomin | Un saludo, Txomin
es | cuatro-siete-uno-nueve | > ¿Me dice el PIN que le ha llegado? | sí, mira, cuatro-siete-uno-nueve
co | ybetancur.adm; Sol-Luna-44 | mi usuario es ybetancur.adm y la contra: Sol-Luna-44
co | ZmFzdG8x | este es el link https://meet.example.co/j/8844?pwd=ZmFzdG8x y mi mapa https://maps.app.goo.gl/AbC12x
co | 6.244203 | mi ubicación 6.244203, -75.581211
co | 2 2 1. 4 4. 0 9 | mi número es 57 3 1 5. 2 2 1. 4 4. 0 9
co | ３１５２２１４４０９ | ３１５２２１４４０９ contacto
co | 315🙂221🙂4409 | 315🙂221🙂4409 ese es
co | 2214409 | cel 315 | 2214409
co | Inés Amparo; Guerrero; 8 83 21 14 | Remite: Fundación, contacto Sor Inés Amparo Guerrero, tel 8 83 21 14
co | Desmond; Okafor; A04488123 | My name is Desmond Okafor, passport A04488123
co | YESENIA; MONTAÑEZ; CARVAJAL | HOLA SOY YESENIA MONTAÑEZ CARVAJAL NECESITO EL CERTIFICADO
co | brayan; stiven | hola soy brayan stiven necesito ayuda
co | Eustaquio | Se lo entregué a Eustaquio ayer en la oficina
co | rigoberto | pregúntele a rigoberto que él sabe de la gotera
co | Nelcy | la de servicio, Nelcy, estará hasta las 4
co | Kcomt | en el contrato quedó mal escrito mi apellido, es Kcomt y no Kont
co | Fabio Nel | Tengo diabetes y mi eps es por mi esposo Fabio Nel
co | 110016000050202312345 | radicado en la fiscalía 110016000050202312345
co | 2178845531 | guía de servientrega 2178845531
co | 3344 5566 7788 | la tarjeta es una visa, cuatro mil quinientos doce, 3344 5566 7788
co | Villamizar; Buitrago | el acta quedó firmada por Q. Villamizar y S. Buitrago
co | Jhon Eider | el papá de la niña (Jhon Eider) autoriza
co | Óscar; Zapata; oscar_z@correo.example | De: Óscar Iván Zapata <oscar_z@correo.example>\\nPara: ustedes
co | 4f9a2bb1c3d4e5f6 | ID de teams: live:.cid.4f9a2bb1c3d4e5f6
co | 356938035643809 | imei 356938035643809
""")
