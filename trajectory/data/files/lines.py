"""A text file -> blocks of whole lines in UTF-8, from whatever encoding and line ends, none larger than is bearable."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from tqdm.auto import tqdm

from trajectory.data.files import encodings
from trajectory.data.files.files import MIB, Part, opened, reading
from trajectory.progress import bars_hidden
from trajectory.schema import UserError

BLOCK = 16 * MIB  # bytes read at once: what is looked at several times stays near the processor
LONGEST = 64 * MIB  # of a line
SAMPLE = MIB  # what a file is known by


class Text:
    """One file's text, read once. `notes` says after reading what was decided about its bytes."""

    def __init__(self, part: Part, encoding: str = "") -> None:
        self.part, self.notes = part, list[str]()
        self._given = encodings.stated_encoding(encoding) if encoding else ""
        self._encoding = self._given  # "" = UTF-8 as far as it has been read
        self._end = b"\n"
        self._lines = self._broken = 0
        self._plain = True  # ASCII so far

    def blocks(self, size: int = 0) -> Iterator[bytes]:
        """Blocks of whole lines, each with a line feed at its end, the file's last line too."""
        size, held, length = size or BLOCK, list[bytes](), 0
        total, name = self.part.path.stat().st_size, self.part.file
        hidden = size <= SAMPLE or bars_hidden()
        with (
            opened(self.part) as (stream, packed),
            tqdm(total=total, desc=f"reading {name}", unit="B", unit_scale=True, delay=2, disable=hidden) as progress,
        ):
            for data in self._narrow(stream, size):
                held.append(data)
                length += len(data)
                if self._end in data or (not self._lines and b"\r" in data):
                    whole, rest = self._cut(b"".join(held))
                    held, length = [rest], len(rest)
                    if whole:
                        yield self._decoded(whole)
                if length > LONGEST:
                    raise UserError(
                        f"{self.part.name} has a line of more than {LONGEST // MIB} MiB (line {self._lines + 1:,}): "
                        "that is no row of a log"
                    )
                progress.update(packed.tell() - progress.n)
            if length:
                yield self._decoded(b"".join(held) + self._end)
        self._say()

    def _cut(self, data: bytes) -> tuple[bytes, bytes]:
        """Whole lines, and the beginning of the next one."""
        if not self._lines and b"\n" not in data and b"\r" in data[:-1]:
            self._end = b"\r"
        cut = data.rfind(self._end) + 1
        return data[:cut], data[cut:]

    def _narrow(self, stream: IO[bytes], size: int) -> Iterator[bytes]:
        """Bytes in which ASCII is ASCII: those of wide characters become UTF-8."""
        decoder, head = None, stream.peek(4096)[:4096]  # type: ignore[attr-defined]
        wide = self._given or encodings.by_first_bytes(head)
        if wide.startswith(("utf-16", "utf-32")):
            decoder = codecs.getincrementaldecoder(wide)()
            self.notes.append(f"{self.part.name} is read as {wide}")
            self._encoding = "utf-8"
        elif head.startswith(codecs.BOM_UTF8):
            stream.read(len(codecs.BOM_UTF8))
        while data := self._read(stream, size):
            try:
                yield data if decoder is None else decoder.decode(data).encode()
            except UnicodeError as error:  # of bytes that do not fit, or of a missing byte order mark
                reason = error.reason if isinstance(error, UnicodeDecodeError) else error
                raise UserError(f"{self.part.name} is not {self._given or 'UTF-16'} ({reason})") from None
        if decoder is not None and decoder.getstate()[0]:
            raise UserError(f"{self.part.name} is cut off within a character; fetch it again")

    def _read(self, stream: IO[bytes], size: int) -> bytes:
        with reading(self.part.name):
            return stream.read(size)

    def _decoded(self, data: bytes) -> bytes:
        lines = data.count(self._end)
        if not data.isascii():
            data = self._utf8(data)
            self._plain = False
        self._lines += lines
        if self._end == b"\r":
            return data.replace(b"\r", b"\n")
        return data.replace(b"\r\n", b"\n") if b"\r" in data else data

    def _utf8(self, data: bytes) -> bytes:
        if self._encoding in ("", "utf-8"):
            try:
                data.decode()
                return data
            except UnicodeDecodeError as error:
                if self._plain and not self._encoding:
                    line = self._lines + data.count(self._end, 0, error.start) + 1
                    self._encoding = encodings.by_evidence(data, self.part.name, line)
        if self._encoding in ("", "utf-8"):
            # Here and there a byte that is no UTF-8, in a file that is: shown as what it is, \xe9, so that ids differ.
            text = data.decode(errors="backslashreplace")
            self._broken += len(text) - len(data.decode(errors="ignore"))
            return text.encode()
        try:
            return data.decode(self._encoding).encode()
        except UnicodeDecodeError as error:
            line = self._lines + data.count(self._end, 0, error.start) + 1
            raise UserError(
                f"{self.part.name} is not {self._encoding} throughout (line {line:,}, byte 0x{data[error.start]:02x}); "
                "set data.encoding to what it was saved as, or save it again as UTF-8"
            ) from None

    def _say(self) -> None:
        if self._encoding not in ("", "utf-8") and not self._given:
            self.notes.append(
                f"{self.part.name} is read as {self._encoding}, by its bytes; set data.encoding if letters look wrong"
            )
        if self._broken:
            self.notes.append(
                f"{self.part.name}: {self._broken // 4:,} bytes are not UTF-8 and are shown as \\x..; set data.encoding"
            )
