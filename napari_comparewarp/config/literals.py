"""Python text that is parsed and never executed: its statements, and the values of literals."""

import ast
import warnings
from typing import Any

from .text_file import check_values, shown

__all__ = ["literal_of", "parse_literal", "parse_statements", "quoted"]

#: The largest Python text that is parsed, characters: its tree takes a hundred times as much.
_LARGEST = 8 << 20

#: A saved config of the reference has some thousands.
_MOST_STATEMENTS = 20_000

#: Whatever the parser of Python raises where a text goes too deep for it.
_TOO_DEEP = (RecursionError, MemoryError)


def parse_statements(text: str) -> list[ast.stmt]:
    """Return the statements of a Python text.

    Parameters
    ----------
    text : str

    Raises
    ------
    ValueError
        In one line, where it is no Python.
    """
    if len(text) > _LARGEST:
        raise ValueError(f"more than the {_LARGEST >> 20} MiB that may be read")
    try:
        with warnings.catch_warnings():
            # Of what it may mean to Python, as a backslash before a letter, nothing is executed.
            warnings.simplefilter("ignore")
            statements = ast.parse(text).body
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        reason = "a number of too many digits" if "set_int_max" in error.msg else error.msg
        raise ValueError(f"{where}not an override file: {reason}") from None
    except _TOO_DEEP:
        raise ValueError("not an override file: too many parts in each other") from None
    except ValueError as error:
        raise ValueError(f"not an override file: {error}") from None
    if len(statements) > _MOST_STATEMENTS:
        raise ValueError(f"more than the {_MOST_STATEMENTS} statements that may be read")
    return statements


def parse_literal(text: str) -> Any:
    """Return the value of a literal.

    Parameters
    ----------
    text : str
        Such as ``5``, ``'text'``, ``[1, 2]`` or ``{'SAT': 0.1}``.

    Raises
    ------
    ValueError
        If it is no literal, or one that no field of a file has.
    """
    match parse_statements(text):
        case [ast.Expr(value=node)]:
            return literal_of(node)
    raise ValueError(f"{shown(text)} is not a literal")


def literal_of(node: ast.expr) -> Any:
    """Return the value of a literal; ``float('inf')`` and ``float('nan')`` count as such.

    Parameters
    ----------
    node : ast.expr

    Raises
    ------
    ValueError
        If it is no literal, or one that no field of a file has.
    """
    try:
        value = ast.literal_eval(_NonFinite().visit(node))
    except (TypeError, SyntaxError, *_TOO_DEEP) as error:
        raise ValueError("not a literal") from error
    check_values(value, finite=False)
    return value


class _NonFinite(ast.NodeTransformer):
    """Turn ``float('nan')`` and ``float('inf')``, as in saved configs, into constants."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node:
            case ast.Call(
                func=ast.Name(id="float"),
                args=[ast.Constant(value="nan" | "inf" | "-inf" as word)],
                keywords=[],
            ):
                return ast.Constant(value=float(word))
        return node


def quoted(node: ast.AST) -> str:
    """Return a piece of source, short enough for an error message.

    Parameters
    ----------
    node : ast.AST
    """
    try:
        source = " ".join(ast.unparse(node).split())
    except (ValueError, *_TOO_DEEP):  # many digits, or many parts in each other
        return "an expression"
    return repr(source if len(source) <= 60 else source[:57] + "...")
