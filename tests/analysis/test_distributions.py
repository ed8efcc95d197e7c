"""Selection of recorded tensors by name and kind, on committed recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.browse.distributions import (
    around_normalization,
    beside_gradients,
    choose,
)
from resnet_inspect.errors import UsageError
from resnet_inspect.stats import Tap
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]


def chosen(run: Run, *names: str, kinds: tuple[str, ...] = ()) -> list[Tap]:
    return choose(run.graph, run.taps(), names, kinds, file=Path("a.db"))


def test_without_names_the_output_of_every_layer(recording: Open) -> None:
    run = recording("v2")
    layers = [tap.layer for tap in chosen(run)]
    assert layers == [*(layer.name for layer in run.graph.layers), "cross_entropy"]
    gradients = chosen(run, kinds=("gradient",))
    assert [tap.layer for tap in gradients] == [layer.name for layer in run.graph.layers]
    weights = chosen(run, kinds=("weight",))
    assert {tap.tensor for tap in weights} == {v.name for v in run.graph.variables if v.trainable}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("conv1", [("conv1", "activation", "conv1/BiasAdd:0")]),
        ("conv1/BiasAdd", [("conv1", "activation", "conv1/BiasAdd:0")]),
        ("conv1/BiasAdd:0", [("conv1", "activation", "conv1/BiasAdd:0")]),
        ("conv1/kernel", [("conv1", "weight", "conv1/kernel")]),
        ("Resh", [("Reshape", "activation", "Reshape:0")]),
        (
            "res20_*1",
            [("res20_branch1", "activation", "conv_block_stage2/res20_branch1/BiasAdd:0")],
        ),
        ("*/gamma", None),
    ],
)
def test_names(recording: Open, name: str, wanted: list[tuple[str, str, str]] | None) -> None:
    run = recording("v2")
    selected = [(tap.layer, tap.kind, tap.tensor) for tap in chosen(run, name)]
    if wanted is None:
        names = [v.name for v in run.graph.variables if v.name.endswith("/gamma")]
        assert [(kind, tensor) for _, kind, tensor in selected] == [("weight", n) for n in names]
    else:
        assert selected == wanted


def test_a_gradient_may_be_of_an_output_or_of_a_variable(recording: Open) -> None:
    run = recording("v2")
    selected = chosen(run, "conv1", "conv1/kernel", kinds=("gradient",))
    assert [(tap.kind, tap.tensor) for tap in selected] == [
        ("gradient", "conv1/BiasAdd:0"),
        ("gradient", "conv1/kernel"),
    ]
    pairs = beside_gradients(run.taps(), chosen(run, "conv1", "conv1/kernel"))
    assert [[tap.kind for tap in pair] for pair in pairs] == [
        ["activation", "gradient"],
        ["weight", "gradient"],
    ]


def test_the_weights_of_a_layer(recording: Open) -> None:
    v2, composite = recording("v2"), recording("composite")
    for run, names, tensors in (
        (v2, ("dense1",), ["dense1/kernel", "dense1/bias"]),
        (v2, ("bn20*",), [f"bn20_branch{i}/{part}" for i in ("2a", "1", "2b")
                          for part in ("gamma", "beta")]),
        (composite, ("project (call 2)",), ["pair/encoder/project/kernel",
                                            "pair/encoder/project/bias"]),
    ):  # fmt: skip
        selected = chosen(run, *names, kinds=("weight",))
        assert [tap.tensor for tap in selected if "moving" not in tap.tensor] == tensors


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_inputs_and_outputs_of_normalizations(recording: Open, name: str) -> None:
    run = recording(name)
    taps = run.taps()
    groups = around_normalization(run.graph, taps, chosen(run))
    norms = [layer for layer in run.graph.layers if layer.type == "FusedBatchNormV3"]
    assert [after.layer for _, after in groups] == [layer.name for layer in norms]
    for (before, _), layer in zip(groups, norms, strict=True):
        assert before.tensor == str(layer.inputs[0])
    # The layer before a normalization selects it too.
    first = "res00_branch2a"
    ((before, after),) = around_normalization(run.graph, taps, chosen(run, first))
    assert (before.layer, after.layer) == (
        first,
        {"v1": "bn00_branch2a", "v2": "bn00_branch2b"}[name],
    )


@pytest.mark.parametrize(
    ("names", "kinds", "what", "fix"),
    [
        (
            ("conv2",),
            (),
            "no recorded tensor is named 'conv2'",
            "did you mean conv1? `resnet-inspect hist conv1 a.db` shows conv1",
        ),
        (
            ("res0",),
            ("weight",),
            "'res0' is ambiguous: 2 names begin with it",
            "`resnet-inspect hist 'res0*' a.db --kind weight` shows all of them",
        ),
        (
            ("dense1/k",),
            ("weight",),
            "no recorded tensor is named 'dense1/k'",
            "`resnet-inspect hist dense1/kernel a.db --kind weight` shows dense1/kernel",
        ),
        (
            ("/gamma",),
            ("weight",),
            "'/gamma' is ambiguous: .* names contain it",
            "`resnet-inspect hist '*/gamma*' a.db --kind weight` shows all of them",
        ),
        (
            ("encoder*",),
            ("weight",),
            "no recorded tensor is named 'encoder[*]'",
            "`resnet-inspect hist a.db --kind weight` lists weights",
        ),
        (("conv1/Conv2D",), (), "'conv1/Conv2D' was not recorded", "--taps ops"),
        (
            ("Reshape",),
            ("weight",),
            "'Reshape' has no weight",
            "`resnet-inspect hist Reshape a.db --kind activation,gradient` shows what was recorded",
        ),
        (
            ("conv1/kernel",),
            ("activation",),
            "'conv1/kernel' has no activation",
            "`resnet-inspect hist conv1/kernel a.db --kind gradient,weight` shows what was",
        ),
    ],
)
def test_what_was_not_recorded(
    recording: Open, names: tuple[str, ...], kinds: tuple[str, ...], what: str, fix: str
) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        chosen(recording("v2"), *names, kinds=kinds)
    assert fix in str(caught.value)


def test_a_failed_run_has_nothing_to_show(recording: Open) -> None:
    with pytest.raises(UsageError, match="no activation of any layer was recorded"):
        api.distributions(recording("filters"))


def test_facts_of_a_series(recording: Open) -> None:
    run = recording("v2")
    ((relu,), (norm,), (kernel,)) = api.distributions(
        run, ["relu00_branch2a", "bn00_branch2a", "conv1/kernel"]
    )
    assert list(relu.course) == list(relu.channels) == [0, 1, 2]
    assert relu.elements == 8 * 32 * 32 * 16
    assert relu.course[0].count == 4096
    assert relu.activity is not None
    assert relu.activity.positions == 3 * 256
    assert relu.activity.of == 3 * 8
    share = 1 - sum(summary.zeros for summary in relu.course.values()) / (3 * 4096)
    assert relu.activity.share.mean() == pytest.approx(share)
    assert list(norm.normalizations) == [0, 1, 2]
    assert norm.normalizations[0].batch_mean.shape == (16,)
    assert list(kernel.updates) == [0, 1, 2]
    assert kernel.elements == kernel.course[0].count == 3 * 3 * 3 * 16
    assert not norm.updates
    assert not kernel.channels


def test_one_step_alone(recording: Open) -> None:
    run = recording("v2")
    ((series,),) = api.distributions(run, ["relu00_branch2a"], step=1)
    assert list(series.course) == list(series.channels) == [1]
    with pytest.raises(UsageError, match="step 7 was not recorded") as caught:
        api.distributions(run, ["conv1"], step=7)
    assert caught.value.expected == "one of 0, 1, 2"


def test_where_the_first_number_that_is_not_finite_came_from(recording: Open) -> None:
    run = recording("diverged")
    assert run.origin is not None
    assert (run.origin.step, run.origin.kind) == (1, "op")
    assert run.graph.op_by_name[run.origin.name].type == "FusedBatchNormV3"
    ((series,),) = api.distributions(run, ["res20_branch2a"])
    # Whether the layer sees it in the step where it began depends on the processor's rounding.
    assert list(series.not_finite) in ([1, 2], [2])
    assert series.not_finite[2].nan == series.elements
    assert recording("v2").origin is None


def test_a_group_means_its_output(recording: Open) -> None:
    run = recording("composite")
    both = {group.name: group for group in run.graph.groups}
    assert both["encoder"].output == both["encoder/residual"].output
    for name in ("encoder", "encoder/residual"):
        (tap,) = chosen(run, name)
        assert tap.tensor == str(both[name].output)
        assert {tap.layer for tap in chosen(run, name, kinds=("gradient",))} == {tap.layer}
