"""What runs recorded of a place: its tensors, by what they are called there."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_inspect.graph import TensorRef
from resnet_inspect.render.plots.spread import Distribution
from resnet_inspect.stats import Tap
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.two_runs import Selected


@dataclass(frozen=True)
class Part:
    """A recorded tensor of a run, by the run's sign."""

    sign: str
    recording: OpenedRun
    tap: Tap


def recorded_of(side: Selected) -> dict[str, Tap]:
    """What of a place a run recorded, by what it is called here."""
    place, recording = side.place, side.recording
    found: dict[str, Tap] = {}
    for tap in recording.taps_near(place.name) if place is not None else ():
        assert place is not None
        if place.kind == "layer" and tap.layer != place.name:
            continue
        if place.kind == "variable" and tap.tensor != place.name:
            continue
        if place.kind == "op" and tap.tensor.rpartition(":")[0] != place.name:
            continue
        found.setdefault(word_of(recording, tap), tap)
    return found


def word_of(recording: OpenedRun, tap: Tap) -> str:
    """What a tensor is called beside its layer: output, kernel, output gradient."""
    variable = tap.tensor in recording.graph.variable_by_name
    name = tap.tensor.rpartition("/")[2] if variable else ("output", tap.tensor)[not tap.output]
    return f"{name} gradient" if tap.kind == "gradient" else name


def around(part: Part) -> tuple[Tap, Tap] | None:
    """The tensors before and after the batch normalization that one is beside."""
    tap, recording = part.tap, part.recording
    if not tap.output:
        return None
    for layer in recording.graph.layers:
        if layer.normalizes and layer.inputs:
            ends = (str(layer.inputs[0]), str(layer.output))
            if tap.tensor in ends:
                found = [recording.taps.get((one, tap.kind)) for one in ends]
                if found[0] is not None and found[1] is not None:
                    return found[0], found[1]
    return None


def row_of(side: Selected, step: int) -> list[Distribution]:
    """What the output of a layer, or an op, held at a step, if that was recorded."""
    assert side.place is not None
    name, graph = side.place.name, side.recording.graph
    layer = graph.layer_by_name.get(name)
    tap = side.recording.tap_of(layer.output if layer else TensorRef(name))
    held = side.recording.run.course(tap, step).get(step) if tap is not None else None
    return [Distribution.of(f"{side.sign} {name}".lstrip(), held)] if held is not None else []


def title_of(part: Part) -> str:
    """A tensor's name, with the run that it is of."""
    return f"{part.sign}  {_name(part.tap)}".lstrip()


def _name(tap: Tap) -> str:
    name = tap.layer if tap.output else tap.tensor
    return name if tap.kind != "gradient" else f"{name}, gradient"
