"""One family of errors and one of warnings, so that they can be told from a library's."""

__all__ = [
    "CompareWarpError",
    "CompareWarpWarning",
    "ConfigError",
    "InspectionError",
    "OutputError",
    "PsfError",
    "StackError",
    "TruthError",
    "one_line",
]


class CompareWarpError(Exception):
    """Base of all errors whose message is one line that is meant for the user.

    It says what is wrong, where, and what would be accepted.
    """


class ConfigError(CompareWarpError, ValueError):
    """A configuration that cannot be used."""


class StackError(CompareWarpError, ValueError):
    """Input that cannot be used."""


class PsfError(CompareWarpError, ValueError):
    """A PSF that cannot be used, or is not known."""


class InspectionError(CompareWarpError, ValueError):
    """Something that an inspection cannot do."""


class OutputError(CompareWarpError, OSError):
    """An output that cannot be written."""


class TruthError(CompareWarpError, ValueError):
    """A folder that does not hold the truth of a night."""


class CompareWarpWarning(UserWarning):
    """Something that does not stop the work, with what follows from it."""


def one_line(error: BaseException, *, named: bool = False) -> str:
    """Return what any error says, in one line.

    Parameters
    ----------
    error : BaseException
        An error of the operating system becomes file and reason; of what
        another library says in several lines, the first is kept.
    named : bool
        Whether the type of an error that is not of this project goes before its message.

    Returns
    -------
    str
        Never empty: an error without a message is named by its type.
    """
    if isinstance(error, CompareWarpError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    # A KeyError shows its message as a literal.
    is_quoted = isinstance(error, KeyError) and error.args
    text = str(error.args[0] if is_quoted else error).strip().partition("\n")[0]
    kind = type(error).__name__
    if not text:
        return kind
    return f"{kind}: {text}" if named else text
