"""One sentence for every way in which a command can end badly."""

import re
from collections.abc import Sequence


def is_usage(error: Exception) -> bool:
    """Whether the parser refused the words. Told by its method: the class moved between versions of typer.

    Args:
        error: What was raised.
    """
    return hasattr(error, "format_message")


def is_refusal(error: Exception) -> bool:
    """Whether heldout refused the input.

    Args:
        error: What was raised.
    """
    if is_usage(error):
        return False
    from heldout.records import Refusal  # not at the top: it imports torch

    return isinstance(error, Refusal)


def sentence(error: Exception) -> str:
    """What to tell the user.

    Args:
        error: What was raised.

    Returns:
        One sentence.
    """
    if is_usage(error):
        return _usage(error)
    if is_refusal(error):
        return str(error)
    if isinstance(error, NotWritten):
        return str(error)
    return (
        f"this is a fault of heldout's and not of your input ({type(error).__name__}: {' '.join(str(error).split())[:300]}); "
        "run it again with --debug and report what that prints."
    )


class NotWritten(Exception):
    """An output that could not be written after the work was done; the sentence says what was."""


def kept_after_interrupt(words: Sequence[str]) -> str:
    """What a stopped command leaves.

    Args:
        words: Of the command line.

    Returns:
        One sentence.
    """
    store = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "--store"), "")
    store = next((word.removeprefix("--store=") for word in words if word.startswith("--store=")), store)
    if "audit" in words and store and "--network" in " ".join(words):
        return f"stopped; the readings made so far are kept in '{store}', and the same command goes on from there."
    if "posterior" in words and store:
        return f"stopped; chains are kept in '{store}' every half a minute, and the same command goes on from there."
    if words[:2] == ["study", "run"]:
        return f"stopped; the cells finished so far are kept in '{store or 'runs'}', and the same command goes on from there."
    if "audit" in words:
        return "stopped; nothing was kept (with --store DIR an audit of your network keeps every reading it has made)."
    if "posterior" in words:
        return "stopped; nothing was kept (with --store DIR the chains of a posterior are)."
    return "stopped; nothing was changed."


def _usage(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "heldout"
    option = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption":
        near = ", ".join(sorted(getattr(error, "possibilities", None) or []))
        return f"{option} is not an option of '{command}'; expected {near or 'one of its options'}: see '{command} --help'."
    message = " ".join(error.format_message().split()).rstrip(".")  # type: ignore[attr-defined]
    message = re.sub(r"\. Did you mean (.*)\?", r"; expected \1", message).replace(". ", ", ")
    return f"{message[:1].lower()}{message[1:]}: see '{command} --help'."
