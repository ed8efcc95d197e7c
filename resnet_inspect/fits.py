"""Puts a recorder into every `fit` of a program: one run file for each model.

`hook` is called with Keras once a script has imported it; nothing here imports Keras itself.
"""

from __future__ import annotations

import functools
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from resnet_inspect.api import recorder
from resnet_inspect.journal import RunJournal


class Fits:
    """What was recorded of a program's fits. `out` is where the first run file goes, `settings`
    those of `api.Recorder`.
    """

    def __init__(self, out: Path | None, *, force: bool, settings: dict[str, Any]) -> None:
        self._out = out
        self._force = force
        self._settings = settings
        self._recorders: list[tuple[Any, Any]] = []  # models, each with its recorder
        self._journals: list[RunJournal] = []
        self.trouble = ""

    @property
    def files(self) -> list[Path]:
        """The run files that were written."""
        return [one.path for one in self._journals if one.begun and one.path is not None]

    def hook(self, keras: ModuleType) -> None:
        """Record every `fit` from now on."""
        try:
            backend = keras.backend.backend()
            if backend != "tensorflow":
                self.trouble = f"nothing was recorded: Keras runs on {backend}, not on TensorFlow"
                return
            model = keras.Model
            model.fit = self._recorded(model.fit)
        except Exception as error:
            self.trouble = f"nothing was recorded: {type(error).__name__}: {error}"

    def _recorded(self, original: Any) -> Any:
        signature = inspect.signature(original)

        @functools.wraps(original)
        def fit(model: Any, *args: Any, **named: Any) -> Any:
            watching = None
            try:
                bound = signature.bind(model, *args, **named)
                watching = self._recorder(model)
                held = bound.arguments.get("callbacks")
                if (
                    held is not None and hasattr(held, "append") and hasattr(held, "set_model")
                ):  # a CallbackList
                    held.append(watching)
                    watching.set_params(held.params)
                    watching.set_model(model)
                else:
                    own = list(held) if isinstance(held, list | tuple) else [held] if held else []
                    bound.arguments["callbacks"] = [*own, watching]
                args, named = bound.args[1:], bound.kwargs
            except Exception as error:
                self.trouble = f"a fit was not recorded: {type(error).__name__}: {error}"
            try:
                return original(model, *args, **named)
            except BaseException as error:
                if watching is not None:
                    watching.stopped(error)
                raise

        return fit

    def _recorder(self, model: Any) -> Any:
        for known, watching in self._recorders:
            if known is model:
                return watching
        out = self._out
        if out is not None and self._recorders:
            out = out.with_name(f"{out.stem}-{len(self._recorders) + 1}{out.suffix}")
        watching, journal = recorder(out, force=self._force, **self._settings)
        self._recorders.append((model, watching))
        self._journals.append(journal)
        return watching

    def tell(self, script: str) -> None:
        """Say on stderr what there is now."""
        from shlex import quote

        for file in self.files:
            print(f"resnet-inspect: recorded in {quote(str(file))}", file=sys.stderr)
        if self.trouble:
            print(f"resnet-inspect: {self.trouble}", file=sys.stderr)
        elif not self.files:
            text = f"nothing was recorded: {script} did not call fit of a Keras model"
            print(f"resnet-inspect: {text}", file=sys.stderr)
