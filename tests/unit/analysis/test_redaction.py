"""What leaves the machine holds no personal data, and keeps what is none. All persons and numbers are invented."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dagster_project.analysis.claude.prompt import FIRST, LAST, ends, with_lead
from dagster_project.analysis.conversation import Conversation, Message
from dagster_project.analysis.personal.plain import plain
from dagster_project.analysis.personal.redaction import Known, leaks, redact
from dagster_project.analysis.rules.classifier import RulesClassifier
from dagster_project.analysis.taxonomy import taxonomy
from tests.support.canaries import HELD_OUT, HELD_OUT_LATER, TUNED, Canary, found_in

KNOWN = Known(
    names=("María Fernanda Gómez Ruiz", "Ana Torres"),
    values=(("TEL", "+573001234567"), ("EMAIL", "mafe.gomez@correo.example"), ("CEDULA", "1020304050")),
)
CASES = Path(__file__).parents[2] / "data" / "redaction.jsonl"


def messages(*said: str) -> list[Message]:
    """The customer's messages; one that begins with > is the agent's."""
    return [Message(not text.startswith(">"), text.removeprefix("> "), 0.0) for text in said]


def redacted(*said: str, known: Known = KNOWN, keep: frozenset[str] = frozenset()) -> list[str]:
    result = redact(messages(*said), known, keep)
    assert result.left == []
    return result.texts


@pytest.mark.parametrize(
    "text",
    [
        "Hola soy maria fernanda gomez",
        "le habla MARÍA GÓMEZ",
        "mi cédula es 1.020.304.050",
        "cc 52 123 456 de Bogotá",
        "C.C. No. 79456123",
        "mi numero es 300 123 45 67",
        "llámeme al 3109876543 o al 601 234 5678",
        "+57 300-123-4567",
        "MAFE.GOMEZ@correo.example",
        "otro correo juan.perez @ empresa.example",
        "vivo en la Cra 43A # 1-50 apto 302",
        "Calle 100 No. 15-20",
        "NIT 900.123.456-8",
        "cuenta de ahorros 123-456789-01",
        "Doña Carmen Rosa dijo que sí",
        "pasaporte AB123456",
        "$3109876543",
        "3109876543 millones",
    ],
)
def test_personal_data_is_taken_out(text: str) -> None:
    after = redacted(text)[0]
    assert "[" in after
    secrets = ("gomez", "gómez", "020", "123", "456", "987", "perez", "correo.", "43a", "carmen", "234")
    assert not [secret for secret in secrets if secret in after.lower()]


@pytest.mark.parametrize("case", [json.loads(line) for line in CASES.read_text().splitlines()], ids=lambda c: c["kind"])
def test_what_was_once_sent_is_not_sent(case: dict[str, object]) -> None:
    after = redacted(str(case["text"]), known=Known((str(case["contact"]),)))[0]
    leaked = case["leaks"]
    assert isinstance(leaked, list)
    assert not [leak for leak in leaked if plain(leak).text in plain(after).text]


@pytest.mark.parametrize(
    "canary", [*TUNED, *HELD_OUT, *HELD_OUT_LATER], ids=lambda canary: f"{canary.kind}: {canary.said[-1][:40]}"
)
def test_no_canary_is_left(canary: Canary) -> None:
    assert found_in(canary.secrets, redacted(*canary.said, known=Known(), keep=taxonomy.load().words_to_keep)) == []


@pytest.mark.parametrize(
    "text",
    [
        "el lote 14 manzana B vale 85.000.000",
        "pagué $2.500.000 el 15/03/2025 a las 10:30",
        "torre 3, piso 12, apartamento 502, 72 m2",
        "El Bosque y La Colina me gustan, ¿cuál recomienda?",
        "la cuota 24 de 36",
        "la cuota inicial es de 30000000 y el subsidio 12.345.678",
        "cuesta 350 millones o US$ 92,500.00",
        "doscientos cincuenta millones quinientos mil pesos",
        "atienden de 8:00 a 17:30, sábados 9:00-13:00",
        "mi radicado es PQR-2025-00123",
        "necesito el paz y salvo de 2024",
        "¿cuándo entregan? dijeron el 30 de junio de 2026",
        "no hay luz en la torre 2 desde el domingo 3",
        "quiero el brochure: https://www.elbosque.example",
        "mi esposa quiere ver el lote y mi mamá también",
        "soy cliente de la etapa 2, soy nueva en esto",
        "con mucho gusto, para servirle",
        "señor buenas tardes, ya pagué dos cuotas",
        "el señor de la portería no deja entrar el trasteo",
        "la cuota inicial son 45.600.000 y me faltan 12.300.500",
        "el código del apartamento es T3-502",
        "mi crédito fue aprobado por Davivienda por 180 millones a 20 años",
        "el abogado dice que falta la firma del notario",
    ],
)
def test_amounts_units_dates_and_projects_stay(text: str) -> None:
    assert redacted(text, keep=taxonomy.load().words_to_keep) == [text]


def test_a_person_keeps_one_placeholder_through_a_chat() -> None:
    assert redacted("soy María, 3109876543", "> gracias, María, lo registro de una vez", "Gómez, 310 987 65 43") == [
        "soy [PERSONA_1], [TEL_1]",
        "gracias, [PERSONA_1], lo registro de una vez",
        "[PERSONA_1], [TEL_1]",
    ]


def test_a_word_that_must_stay_stays_although_a_contact_is_called_so() -> None:
    after = redacted("Rosa pregunta por El Bosque", known=Known(("Rosa Bosque",)), keep=frozenset({"bosque"}))
    assert after == ["[PERSONA_1] pregunta por El Bosque"]


def test_short_parts_of_a_name_go_and_the_words_they_also_are_stay() -> None:
    known = Known(("Eva Paz Li",))
    assert redacted("le escribe eva paz", known=known) == ["le escribe [PERSONA_1]"]
    assert redacted("habla Li, necesito el paz y salvo", known=known) == ["habla [PERSONA_1], necesito el paz y salvo"]


def test_the_same_number_stays_without_the_question_and_goes_with_it() -> None:
    assert redacted("> ¿cuántas cuotas van?", "5212") == ["¿cuántas cuotas van?", "5212"]
    assert redacted("> ¿me regala su cédula?", "5212") == ["¿me regala su cédula?", "[NUMERO_1]"]
    assert redacted("> ¿me regala su cédula?", "ya se la busco", "> con gusto la espero por aquí", "52", "12")[-2:] == [
        "[NUMERO_1]",
        "[NUMERO_2]",
    ]


def test_a_question_before_what_is_sent_of_a_long_chat_still_counts() -> None:
    said = ["buenas"] * FIRST + ["sigo acá"] * 20 + ["> ¿su cédula?"] + ["5212"] + ["ok"] * (LAST - 1)
    read = with_lead(messages(*said))
    texts = redact(read, Known()).texts
    sent = ends([Message(one.incoming, text) for one, text in zip(read, texts, strict=True)])
    assert len(sent) == FIRST + LAST
    assert not any("5212" in one.text for one in sent)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("3 0 0 1 2 3 4 5 6 7", "TEL"),
        ("escriba a x@y.co", "EMAIL"),
        ("cédula de él, 1020304", "CEDULA"),
        ("1020, luego 3040 y al final 50", "CEDULA"),
    ],
)
def test_what_slipped_through_is_found_and_never_quoted(text: str, kind: str) -> None:
    assert kind in leaks([text], KNOWN)
    assert not re.search(r"\d", "".join(leaks([text], KNOWN)))


def test_rules_read_a_redacted_chat_as_they_read_the_chat() -> None:
    rules, keep = RulesClassifier(), taxonomy.load().words_to_keep
    lines = (Path(__file__).parents[2] / "data" / "ai_dev.jsonl").read_text().splitlines()
    for chat in map(Conversation.read, map(json.loads, lines)):
        after = redact(chat.messages, Known(), keep)
        said = Conversation(
            tuple(
                Message(one.incoming, text, one.minutes) for one, text in zip(chat.messages, after.texts, strict=True)
            )
        )
        assert after.left == []
        assert labels(rules, said) == labels(rules, chat)


def labels(rules: RulesClassifier, chat: Conversation) -> Sequence[object]:
    found = rules.classify(chat)
    return found.intent, found.labels["journey_stage"], found.labels["sentiment"], found.agent_quality_score


@pytest.mark.parametrize(
    "text",
    [
        "a" * 20_000,
        "a@" * 10_000,
        "calle 1" + " " * 100_000 + "x",
        "3 " * 10_000,
        "cuenta de ahorros " * 1_200,
        "1" * 20_000 + "a",
        "o" * 20_000,
        "uno dos " * 2_500,
        "calle la " * 2_500,
        "soy de la " * 2_000,
        "a.b" * 7_000 + "@",
        "https://" * 2_500,
        "a_" * 10_000 + ".pdf",
        "Ana de la " * 2_000,
        "1.000" * 4_000,
        "x1" * 10_000,
        "12/12/" * 3_500,
        "pago " * 4_000,
        "mi casa es " * 2_000,
        "es91 2100 " * 2_000,
        "é" * 20_000,
    ],
)
def test_no_text_makes_redaction_slow(text: str) -> None:
    known = Known(("Ana Gómez",), (("TEL", "3001234567"), ("EMAIL", "ana@example.test")))
    began = time.process_time()
    redact([Message(False, "¿su nombre, cédula, correo y dirección?"), Message(True, text)], known)
    assert time.process_time() - began < 5  # seconds; a pattern that goes back over and over takes minutes
