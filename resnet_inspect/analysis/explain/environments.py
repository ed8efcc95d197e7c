"""The integer values of names at a line of the user's code, without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from resnet_inspect.analysis.explain.sources import SourceFile, Sources, argument, evaluated
from resnet_inspect.graph.crash import Crash, Site

MOST_DEPTH = 8


class Environments:
    """Finds values of names: recorded ones, else those that calls and assignments give."""

    def __init__(self, crash: Crash, sources: Sources) -> None:
        self._crash = crash
        self._sources = sources

    def at(self, sites: Sequence[Site], depth: int = 0) -> dict[str, int]:
        """Return the integers by name at the first of some sites; the others are its callers."""
        if not sites or depth > MOST_DEPTH:
            return {}
        site = sites[0]
        known = self._globals(site.file)
        if site.values:
            return known | site.values
        live = self._live(sites)
        if live is not None:
            return known | live
        file = self._sources[site.file]
        scope = file.scope(site.line)
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return known
        values = known | self._bound(scope, sites, depth)
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = evaluated(node.value, values)
                if value is not None:
                    values.setdefault(node.targets[0].id, value)
        return values

    def given(self, sites: Sequence[Site], name: str) -> tuple[SourceFile, ast.expr, int] | None:
        """Return the argument that the caller passes for a parameter of the first site's function.

        The number counts the callers up to it; 0 is a default.
        """
        if not sites:
            return None
        file = self._sources[sites[0].file]
        scope = file.scope(sites[0].line)
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        names = [item.arg for item in (*scope.args.posonlyargs, *scope.args.args)]
        keywords = [item.arg for item in scope.args.kwonlyargs]
        if name not in (*names, *keywords):
            return None
        if len(sites) > 1:
            outer = self._sources[sites[1].file]
            position = names.index(name) - (names[:1] == ["self"]) if name in names else None
            for call in outer.calls_at(sites[1]):
                if _calls(call, scope.name, self._class_of(file, scope)):
                    passed = argument(call, name, position)
                    if passed is not None:
                        return outer, passed, 1
        default = _default(scope, name)
        return None if default is None else (file, default, 0)

    def _bound(
        self, scope: ast.FunctionDef | ast.AsyncFunctionDef, sites: Sequence[Site], depth: int
    ) -> dict[str, int]:
        outer = self.at(sites[1:], depth + 1)
        values: dict[str, int] = {}
        arguments = scope.args
        for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            passed = self.given(sites, item.arg)
            if passed is not None:
                value = evaluated(passed[1], outer if passed[2] else {})
                if value is not None:
                    values[item.arg] = value
        return values

    def _live(self, sites: Sequence[Site]) -> dict[str, int] | None:
        """Return the recorded values if the sites are those of the frames of the crash."""
        frames = self._crash.frames
        for at in reversed(range(len(frames))):
            site = frames[at].site
            if site.file != sites[0].file or site.function != sites[0].function:
                continue
            outer = [(frame.site.file, frame.site.line) for frame in reversed(frames[:at])]
            if outer[: len(sites) - 1] == [(s.file, s.line) for s in sites[1:]][: len(outer)]:
                return site.values
        return None

    def _globals(self, file: str) -> dict[str, int]:
        """Return the integers of a module: recorded ones, and those that it assigns."""
        values: dict[str, int] = {}
        for frame in self._crash.frames:
            if frame.site.file == file and frame.site.function == "<module>":
                values |= frame.site.values
        for node in self._sources[file].tree.body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    pairs = [(target, node.value)]
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                        pairs = list(zip(target.elts, node.value.elts, strict=False))
                    for name, value in pairs:
                        number = evaluated(value, values)
                        if number is not None:
                            values.setdefault(ast.unparse(name), number)
        return values

    @staticmethod
    def _class_of(file: SourceFile, scope: ast.AST) -> str:
        parent = file.parents.get(scope)
        return parent.name if isinstance(parent, ast.ClassDef) else ""


def _calls(call: ast.Call, function: str, owner: str) -> bool:
    name = ast.unparse(call.func).rpartition(".")[2]
    return name == function or (
        function in ("__init__", "call", "__call__", "build") and bool(owner)
    )


def _default(scope: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    arguments = scope.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False),
    ]
    return next((default for item, default in pairs if item.arg == name), None)
