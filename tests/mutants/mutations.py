"""Mutations of Python source: one small change each that breaks what the code promises, if it promises anything.

A mutation is a place in the source and another text for it, so that what is run is the file as it stands, save there.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.Div: "*"}


@dataclass(frozen=True)
class Mutation:
    """One change of one file.

    Attributes:
        where: the qualified name of the function or class around it.
        line: the line, from 1.
        before: the text that is replaced.
        after: the text in its place.
        start: where it begins, as an offset into the source's UTF-8 bytes.
        end: where it ends.
        statement: the line where the statement around it begins; 0 outside of functions: it is run by whoever imports.
    """

    where: str
    line: int
    before: str
    after: str
    start: int
    end: int
    statement: int

    def applied(self, source: str) -> str:
        """Return ``source`` with the change made."""
        data = source.encode()
        return (data[: self.start] + self.after.encode() + data[self.end :]).decode()


def mutations(source: str) -> Iterator[Mutation]:
    """Yield every mutation of ``source``; docstrings, annotations, imports and assertions have none."""
    tree = ast.parse(source)
    lines = [0]
    for line in source.encode().splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    yield from _Finder(source.encode(), lines).found(tree, "")


class _Finder:
    def __init__(self, source: bytes, lines: list[int]) -> None:
        self._source = source
        self._lines = lines
        self._statement = 0  # The one that is looked at.

    def found(self, node: ast.AST, where: str) -> Iterator[Mutation]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = f"{where}.{node.name}".lstrip(".")
        if where:  # Constants of a module are names for numbers: a test that pins them repeats them.
            yield from self._of(node, where)
        for child in self._children(node):
            outer = self._statement
            if isinstance(child, ast.stmt):
                self._statement = 0 if isinstance(node, ast.Module | ast.ClassDef) else child.lineno
            yield from self.found(child, where)
            self._statement = outer

    @staticmethod
    def _children(node: ast.AST) -> Iterator[ast.AST]:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
                # What is asserted is so by what stands above it: said for the reader and for mypy.
                if isinstance(child, ast.AST) and not is_text and not isinstance(child, ast.Assert):
                    yield child

    def _of(self, node: ast.AST, where: str) -> Iterator[Mutation]:
        match node:
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _COMPARISONS:
                yield self._between(where, left, right, _COMPARISONS[type(operator)])
            case ast.BoolOp(op=operator, values=[first, second, *_]):
                yield self._between(where, first, second, "or" if isinstance(operator, ast.And) else "and")
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _ARITHMETIC:
                yield self._between(where, left, right, _ARITHMETIC[type(operator)])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._at(where, node, self._text(operand))
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                yield self._at(where, test, f"(not ({self._text(test)}))")
            case ast.keyword(arg=str(), value=ast.Constant(value=bool(value)) as constant):
                yield self._at(where, constant, str(not value))
            case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
                yield self._at(where, value, "None")
            case ast.Raise(exc=ast.Name(id="AssertionError") | ast.Call(func=ast.Name(id="AssertionError"))):
                pass  # Says that nobody comes here.
            case ast.Raise(exc=ast.expr()):
                yield self._at(where, node, "pass")
            case ast.Expr(value=ast.Call()):
                yield self._at(where, node, "pass")
            case ast.Constant(value=int(number)) if not isinstance(number, bool):
                # One more of a thousand is within what it was rounded to.
                yield self._at(where, node, str(number + 1 if number < 100 else 2 * number))

    def _between(self, where: str, left: ast.expr, right: ast.expr, operator: str) -> Mutation:
        start, end = self._end(left), self._start(right)
        # Parentheses around the operands stay: only what stands between them is replaced.
        between = self._source[start:end].decode()
        head = between[: len(between) - len(between.lstrip(" )\n"))]
        tail = between[len(between.rstrip(" (\n")) :]
        return Mutation(
            where, left.lineno, between.strip(" ()\n"), f"{head} {operator} {tail}", start, end, self._statement
        )

    def _at(self, where: str, node: ast.AST, after: str) -> Mutation:
        start, end = self._start(node), self._end(node)
        before = " ".join(self._source[start:end].decode().split())
        return Mutation(where, node.lineno, before, after, start, end, self._statement)  # type: ignore[attr-defined]

    def _text(self, node: ast.AST) -> str:
        return self._source[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.AST) -> int:
        return self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]

    def _end(self, node: ast.AST) -> int:
        return self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
