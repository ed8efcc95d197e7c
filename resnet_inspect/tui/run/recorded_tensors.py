"""The recorded tensors of a place, with labels."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_inspect.graph import TensorRef
from resnet_inspect.render.plots.spread import Distribution
from resnet_inspect.stats import Tap
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.two_runs import RunPlace


@dataclass(frozen=True)
class RecordedTensor:
    """A recorded tensor of a run. `sign` is A or B, or empty for a single run."""

    sign: str
    recording: OpenedRun
    tap: Tap


def recorded_tensors_of(side: RunPlace) -> dict[str, Tap]:
    """Return the recorded tensors of a place in one run, by label."""
    place, recording = side.place, side.recording
    taps: dict[str, Tap] = {}
    for tap in recording.taps_near(place.name) if place is not None else ():
        assert place is not None
        if place.kind == "layer" and tap.layer != place.name:
            continue
        if place.kind == "variable" and tap.tensor != place.name:
            continue
        if place.kind == "op" and tap.tensor.rpartition(":")[0] != place.name:
            continue
        taps.setdefault(tensor_label(recording, tap), tap)
    return taps


def tensor_label(recording: OpenedRun, tap: Tap) -> str:
    """Return a label such as output, kernel or output gradient."""
    variable = tap.tensor in recording.graph.variable_by_name
    name = tap.tensor.rpartition("/")[2] if variable else ("output", tap.tensor)[not tap.output]
    return f"{name} gradient" if tap.kind == "gradient" else name


def normalization_ends(tensor: RecordedTensor) -> tuple[Tap, Tap] | None:
    """Return input and output of the batch normalization that reads or makes a tensor."""
    tap, recording = tensor.tap, tensor.recording
    if not tap.output:
        return None
    for layer in recording.graph.layers:
        if layer.normalizes and layer.inputs:
            ends = (str(layer.inputs[0]), str(layer.output))
            if tap.tensor in ends:
                before, after = (recording.taps.get((end, tap.kind)) for end in ends)
                if before is not None and after is not None:
                    return before, after
    return None


def output_tap(side: RunPlace) -> Tap | None:
    """Return the tap of the output of a layer or op, if recorded."""
    assert side.place is not None
    layer = side.recording.graph.layer_by_name.get(side.place.name)
    return side.recording.tap_of(layer.output if layer else TensorRef(side.place.name))


def distribution_rows(side: RunPlace, step: int) -> list[Distribution]:
    """Return the distribution of the output of a layer or op at a step, if recorded."""
    assert side.place is not None
    tap = output_tap(side)
    summary = side.recording.run.course(tap, step).get(step) if tap is not None else None
    if summary is None:
        return []
    return [Distribution.of(f"{side.sign} {side.place.name}".lstrip(), summary)]


def tensor_title(tensor: RecordedTensor) -> str:
    """Return the sign of the run and the name of the tensor."""
    return f"{tensor.sign}  {_name(tensor.tap)}".lstrip()


def _name(tap: Tap) -> str:
    name = tap.layer if tap.output else tap.tensor
    return name if tap.kind != "gradient" else f"{name}, gradient"
