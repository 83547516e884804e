"""Files of lines that somebody may still be writing to."""

from pathlib import Path

from heldout.records import Refusal

LARGEST = 1 << 30  # bytes; a log of scalars is smaller
LONGEST = 1 << 20  # characters of one line


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that have their end; the last is left out while it is being written.

    Args:
        path: The file.

    Returns:
        Its lines, without their ends and without empty ones.

    Raises:
        Refusal: If it is no text, too large, or has a line that no log has.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "log.csv"
        >>> _ = place.write_text("step,loss" + chr(10) + "1,0.5" + chr(10) + "2,0.")
        >>> whole_lines(place)
        ['step,loss', '1,0.5']
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise Refusal(
            given=f"'{path.name}' has {size:,} bytes", expected=f"at most {LARGEST:,}", do="pass a log of scalars"
        )
    data = path.read_bytes()
    end = max(data.rfind(b"\n"), data.rfind(b"\r"))
    try:
        text = data[: end + 1].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(
            given=f"'{path.name}' is no text (byte {error.start:,})", expected="UTF-8", do="pass another file"
        ) from None
    if "\0" in text:
        raise Refusal(given=f"'{path.name}' is no text (a zero byte)", expected="UTF-8", do="pass another file")
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if any(len(line) > LONGEST for line in lines):
        raise Refusal(
            given=f"'{path.name}' has a line of {max(map(len, lines)):,} characters", expected=f"at most {LONGEST:,}",
            do="pass a log of scalars",
        )  # fmt: skip
    return lines
