"""Archives of audit exports: B2Chat mails exports as .zip. Those are unpacked, within bounds; others are refused."""

import re
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from dagster_project.sources.b2chat_audit.files import FORMATS, AuditFileError

ARCHIVES = ("zip", "rar", "7z", "gz", "tgz", "tar", "bz2", "xz", "zst")

MAX_FILES = 100
MAX_BYTES = 16 * 1024**3
MAX_RATIO = 200  # text packs to a tenth, rows of empty cells to a fiftieth; a zip bomb to less than a thousandth
_SMALL = 10 * 1024**2  # bytes that any archive may unpack to
_CHUNK_BYTES = 1024**2
_ENCRYPTED = 0x1


def unpack(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """Unpack the CSV and XLSX files of a zip archive.

    Args:
        path: the archive. Its paths are not trusted: the files are numbered.
        folder: where the files go.

    Returns:
        of each file what to call it (`export.zip/messages.csv`) and where it lies, in the order of the names.

    Raises:
        AuditFileError: it is no zip archive, is encrypted, damaged or too large, or holds no CSV or XLSX file.
    """
    if path.suffix.lower() != ".zip":
        raise AuditFileError(f"{path.name}: archives of this kind are not read: unpack it, or pack it as .zip")
    try:
        with zipfile.ZipFile(path) as archive:
            return _unpack(archive, path, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError):
        raise AuditFileError(f"{path.name}: not a readable zip archive") from None
    except NotImplementedError:
        raise AuditFileError(f"{path.name}: packed by a method that is not read: unpack it") from None
    except OSError as error:
        raise AuditFileError(f"{path.name}: cannot be unpacked: {error.strerror or type(error).__name__}") from None


def _unpack(archive: zipfile.ZipFile, path: Path, folder: Path) -> list[tuple[str, Path]]:
    members = sorted((one for one in archive.infolist() if _is_export(one)), key=lambda one: one.filename)
    if not members:
        raise AuditFileError(f"{path.name}: holds no CSV or XLSX file")
    if len(members) > MAX_FILES:
        raise AuditFileError(f"{path.name}: holds more than {MAX_FILES} CSV or XLSX files")
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise AuditFileError(f"{path.name}: is encrypted: unpack it")
    allowed = min(MAX_BYTES, max(_SMALL, MAX_RATIO * path.stat().st_size))
    unpacked = []
    for number, member in enumerate(members):
        name = PurePosixPath(member.filename)
        file = folder / f"{number}{name.suffix.lower()}"
        allowed -= _copy(archive, member, file, allowed, path.name)
        unpacked.append((f"{path.name}/{_printable(name.name)}", file))
    return unpacked


def _is_export(member: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(member.filename)
    is_hidden = any(part.startswith((".", "__MACOSX", "~$")) and part != ".." for part in name.parts)
    return not member.is_dir() and not is_hidden and name.suffix.lower()[1:] in FORMATS


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path, allowed: int, archive_name: str) -> int:
    """Returns how many bytes were written; what the archive says of its sizes is not trusted."""
    written = 0
    with archive.open(member) as source, file.open("wb") as target:
        while chunk := source.read(_CHUNK_BYTES):
            written += len(chunk)
            if written > allowed:
                raise AuditFileError(f"{archive_name}: unpacks to more than is read of an archive of its size")
            target.write(chunk)
    return written


def _printable(name: str) -> str:
    return re.sub(r"[^\w .()-]", "_", name)[:100]
