"""What lies at a path: files, members of zip files, folders of parts; each is opened as a stream of unpacked bytes."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from trajectory.schema import UserError

MIB = 2**20
LARGE = 256 * MIB  # unpacked bytes above which a ratio of sizes is looked at
MOST_FILES = 10_000  # of a folder
RATIO = 400  # unpacked to packed bytes: a log of text is packed to a tenth or a hundredth
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"(\xb5/\xfd")
_NOISE = re.compile(r"^[._~]|^thumbs\.db$", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """A file, or a member of a zip file. `keys`: names and values of folders such as "day=2024-01-01" on its way."""

    path: Path
    member: str = ""
    keys: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """As it is shown to the user."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def file(self) -> str:
        """The file's own name, without a suffix that tells of packing."""
        return re.sub(r"\.(gz|bz2|xz|zst)$", "", Path(self.member or self.path).name, flags=re.IGNORECASE)

    @property
    def packed(self) -> bool:
        """Whether it must be unpacked to be read."""
        return bool(self.member) or _magic(self.path).startswith(_PACKED)


def existing(name: str | Path, setting: str = "data.source") -> Path:
    """The path, if a regular file or a folder is there and may be read. UserError otherwise, with what is there."""
    path = Path(name).expanduser()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UserError(f"{setting}: {path} does not exist (looked in {Path.cwd()})") from None
    except (OSError, ValueError) as error:  # too long, a part that is no folder, a null character
        raise UserError(f"{setting}: {str(path)[:200]!r} cannot be opened ({_reason(error)})") from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise UserError(f"{setting}: {path} is a pipe, device or socket; expected a file or a folder")
    if not os.access(path, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise UserError(f"{setting}: {path} may not be read by this user; change its permissions")
    return path


def parts_of(path: Path) -> list[Part]:
    """The files of a folder and of those in it, the members of a zip file, or the file alone; in natural order."""
    if path.is_dir():
        parts = [part for file in files_beneath(path) for part in _parts_within(file)]
        return [
            Part(part.path, part.member, part.keys or _keys(part.path.relative_to(path))) for part in _natural(parts)
        ]
    return _natural(_members(path)) if _is_zip(path) else [Part(path)]


def _parts_within(file: Path) -> list[Part]:
    """The members of a zip file beside others; one that cannot be read is left for who looks at it to say."""
    try:
        return _members(file) if _is_zip(file) else [Part(file)]
    except UserError:
        return [Part(file)]


def _natural(parts: list[Part]) -> list[Part]:
    """Part 2 comes before part 10."""
    return sorted(
        parts, key=lambda part: [(len(d), d) if d.isdigit() else (0, d) for d in re.split(r"(\d+)", part.name)]
    )


def files_beneath(path: Path) -> list[Path]:
    """The regular files of a folder and of those in it, or the file alone; without hidden ones, sorted."""
    if not path.is_dir():
        return [path]
    paths = list[Path]()
    with reading(str(path)):
        for where, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not _NOISE.search(name) and name != "__MACOSX"]
            paths += [Path(where) / name for name in names if not _NOISE.search(name)]
            if len(paths) > MOST_FILES:
                raise UserError(f"{path} holds more than {MOST_FILES:,} files; name the folder of the log alone")
    return sorted(path for path in paths if path.is_file())


def _keys(relative: Path) -> tuple[tuple[str, str], ...]:
    pairs = [folder.partition("=") for folder in relative.parts[:-1]]
    return tuple((key, value) for key, equal, value in pairs if equal and key)


def _is_zip(path: Path) -> bool:
    return _magic(path)[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def _magic(path: Path) -> bytes:
    with reading(str(path)), path.open("rb") as file:
        return file.read(16)


def _members(path: Path) -> list[Part]:
    with reading(str(path)), zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    names = [info.filename for info in infos]
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise UserError(f"{path} is an Excel or other office file; save its sheet as CSV (UTF-8)")
    infos = [info for info in infos if not re.search(r"(^|/)([._~]|__MACOSX/)", info.filename)]
    if not infos:
        raise UserError(f"{path} is a zip file without files; expected one that holds a log")
    for info in infos:
        if info.flag_bits & 1:
            raise UserError(f"{path} is protected by a password ({info.filename}); unpack it first")
        if info.filename.lower().endswith((".zip", ".7z", ".rar", ".tar", ".tgz", ".tar.gz")):
            raise UserError(f"{path} holds another archive, {info.filename}; unpack it first")
    return [Part(path, info.filename) for info in infos]


class _Counted(io.RawIOBase):
    """A stream that refuses to grow beyond all measure; `packed` tells how many packed bytes were read."""

    def __init__(self, stream: Any, packed: Any, name: str) -> None:
        self._stream, self._packed, self._name, self._total = stream, packed, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with reading(self._name):
            data = self._stream.read(len(buffer))
        self._total += len(data)
        if self._total > LARGE and self._total > RATIO * max(self._packed.tell(), 1):
            raise UserError(
                f"{self._name} unpacks to more than {RATIO} times its size ({self._total // MIB:,} MiB so far): it is "
                "hardly a log; unpack it yourself if it is one"
            )
        buffer[: len(data)] = data
        return len(data)


@contextlib.contextmanager
def opened(part: Part) -> Iterator[tuple[IO[bytes], Any]]:
    """The stream of unpacked bytes, and the packed file, whose `tell()` says how far it is read."""
    with contextlib.ExitStack() as stack:
        with reading(part.name):
            packed = stack.enter_context(part.path.open("rb"))
            stream: Any = packed
            if part.member:
                archive = stack.enter_context(zipfile.ZipFile(packed))
                try:
                    stream = stack.enter_context(archive.open(part.member))
                except (NotImplementedError, RuntimeError) as error:
                    raise UserError(f"{part.name} cannot be unpacked ({error}); unpack it yourself first") from None
            for _ in range(3):
                stream = io.BufferedReader(stream, MIB) if not hasattr(stream, "peek") else stream
                unpacked = _unpacked(stream)
                if unpacked is stream:
                    break
                stream = stack.enter_context(contextlib.closing(unpacked))
        if stream is packed:
            yield packed, packed
        else:
            yield io.BufferedReader(_Counted(stream, packed, part.name), MIB), packed


def _unpacked(stream: Any) -> Any:
    magic = stream.peek(6)[:6]
    if not magic.startswith(_PACKED):
        return stream
    if magic[0] == 0x1F:
        return gzip.GzipFile(fileobj=stream)
    if magic[0] == ord("B"):
        return bz2.BZ2File(stream)
    if magic[0] == 0xFD:
        return lzma.LZMAFile(stream)
    return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"), MIB)


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Says what is wrong with a file in the user's words, where reading it fails."""
    try:
        yield
    except _DAMAGE as error:
        raise UserError(f"{name} is cut off or damaged ({_reason(error)}); fetch it again") from None
    except (OSError, MemoryError) as error:
        raise UserError(f"{name} cannot be read ({_reason(error)})") from None


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().partition("\n")[0][:200] or type(error).__name__


def free_memory() -> int:
    """Bytes that may still be used without another process losing its own."""
    try:
        fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
