"""What leaves the machine holds no personal data. All persons and numbers are invented."""

import time

import pytest

from dagster_project.analysis.redaction import Known, Redactor, leaks

KNOWN = Known(
    names=("María Fernanda Gómez Ruiz", "Ana Torres"),
    values=(("TEL", "+573001234567"), ("EMAIL", "mafe.gomez@correo.example"), ("CEDULA", "1020304050")),
)


@pytest.mark.parametrize("text", [
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
])  # fmt: skip
def test_personal_data_is_taken_out(text: str) -> None:
    redacted = Redactor(KNOWN).redact(text)
    assert "[" in redacted
    secrets = ("gomez", "gómez", "020", "123", "456", "987", "perez", "correo.", "43a", "carmen", "234")
    assert not [secret for secret in secrets if secret in redacted.lower()]
    assert leaks([redacted], KNOWN) == []


@pytest.mark.parametrize("text", [
    "el lote 14 manzana B vale 85.000.000",
    "pagué $2.500.000 el 15/03/2025 a las 10:30",
    "torre 3, piso 12, apartamento 502, 72 m2",
    "El Bosque y La Colina me gustan, ¿cuál recomienda?",
    "la cuota 24 de 36",
])  # fmt: skip
def test_amounts_units_dates_and_projects_stay(text: str) -> None:
    assert Redactor(KNOWN).redact(text) == text


def test_a_person_keeps_one_placeholder_through_a_chat() -> None:
    redactor = Redactor(KNOWN)
    first, second = redactor.redact("soy María, 3109876543"), redactor.redact("Gómez otra vez, 310 987 65 43")
    assert first == "soy [PERSONA_1], [TEL_1]"
    assert second == "[PERSONA_1] otra vez, [TEL_1]"


def test_a_word_that_must_stay_stays_although_a_contact_is_called_so() -> None:
    known = Known(names=("Rosa Bosque",))
    redactor = Redactor(known, keep=frozenset({"bosque"}))
    assert redactor.redact("Rosa pregunta por El Bosque") == "[PERSONA_1] pregunta por El Bosque"


@pytest.mark.parametrize(("text", "kind"), [
    ("3 0 0 1 2 3 4 5 6 7", "TEL"), ("escriba a x@y.co", "EMAIL"), ("cédula de él, 1020304", "CEDULA"),
])  # fmt: skip
def test_what_slipped_through_is_found_and_never_quoted(text: str, kind: str) -> None:
    assert leaks([text], KNOWN) == [kind]


@pytest.mark.parametrize("text", [
    "a" * 100_000, "a@" * 50_000, "calle 1" + " " * 100_000 + "x", "3 " * 50_000, "cuenta de ahorros " * 6_000])
def test_no_text_makes_redaction_slow(text: str) -> None:
    known = Known(("Ana Gómez",), (("TEL", "3001234567"), ("EMAIL", "ana@example.test")))
    began = time.process_time()
    leaks([Redactor(known).redact(text)], known)
    assert time.process_time() - began < 10  # seconds; a pattern that goes back over and over takes minutes
