"""The corpus: its size, the change of each fault and the split into parts."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from bench.verdicts.cache import key
from bench.verdicts.corpus import CASES, FAULTS, HEALTHY, named
from bench.verdicts.fed import altered, labelled
from bench.verdicts.networks import MODULES
from bench.verdicts.plan import FRESH_KINDS, HELD_KINDS, SEEDS, TUNING_KINDS, Case, Fault, half
from bench.verdicts.problems import PROBLEMS
from bench.verdicts.rules import INFORMING, RULES
from resnet_inspect.config import Settings


def test_the_corpus_has_the_required_size() -> None:
    detectable = [fault for fault in FAULTS if fault.rules]
    assert len(detectable) >= 60
    assert len({fault.kind for fault in detectable}) >= 8
    assert len(HEALTHY) >= 25
    assert len(SEEDS) == 3
    assert {case.kind for case in CASES} == {*MODULES, "tutorial"}


def test_the_fresh_kinds_have_the_required_size() -> None:
    fresh = [case for case in CASES if case.kind in FRESH_KINDS]
    healthy = [case for case in fresh if case in HEALTHY]
    assert len(FRESH_KINDS) >= 6
    assert len(healthy) >= 16
    assert len(fresh) - len(healthy) >= 45
    assert set(Counter(case.kind for case in healthy).values()) <= {2, 3, 4}
    # Missing L2 needs many more steps to show, and no fresh fault only oscillates.
    injected = {rule for case in fresh if isinstance(case, Fault) for rule in case.rules}
    assert set(RULES) - injected == {"growing-weights", "loss-oscillating"}


def test_names_and_keys_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    keys = Counter(key(case, seed) for case in CASES for seed in SEEDS)
    assert keys.most_common(1)[0][1] == 1


def test_every_rule_has_a_held_out_fault_and_every_fault_known_rules() -> None:
    injected = {
        rule
        for fault in FAULTS
        for rule in fault.rules
        if any(half(fault.kind, seed) == "held" for seed in SEEDS)
    }
    assert injected == set(RULES)
    assert set(RULES) >= INFORMING
    for fault in FAULTS:
        assert {*fault.rules, *fault.also} <= set(RULES), fault.name
        assert not {*fault.rules} & {*fault.also}, fault.name


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_a_healthy_training_with_one_change(fault: Any) -> None:
    assert fault.of in HEALTHY
    changed = {
        name
        for name in {*fault.plan, *fault.of.plan}
        if fault.plan.get(name, MISSING) != fault.of.plan.get(name, MISSING)
    }
    assert changed == {fault.change[0]}
    assert fault.name.startswith(f"{fault.of.name}/")


def test_the_split_is_fixed() -> None:
    assert not TUNING_KINDS & HELD_KINDS
    assert not FRESH_KINDS & (TUNING_KINDS | HELD_KINDS)
    assert {case.kind for case in CASES} == TUNING_KINDS | HELD_KINDS | FRESH_KINDS
    for kind in TUNING_KINDS:
        assert [half(kind, seed) for seed in SEEDS] == ["tuning", "held", "held"]
    for kind in HELD_KINDS:
        assert {half(kind, seed) for seed in SEEDS} == {"held"}
    for kind in FRESH_KINDS:
        assert {half(kind, seed) for seed in SEEDS} == {"fresh"}
    with pytest.raises(KeyError):
        half("perceptron", 0)


def test_cases_by_name() -> None:
    assert named([]) == CASES
    assert [case.name for case in named(["mlp/dead", "cnn"])] == ["mlp/dead", "cnn"]
    with pytest.raises(KeyError):
        named(["mlp/alive"])


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_depends_on_its_seed_and_is_balanced(name: str) -> None:
    drawn, again, other = (PROBLEMS[name](96, np.random.default_rng(s)) for s in (3, 3, 4))
    assert all(len(array) == 96 for array in (*drawn.inputs, drawn.wanted))
    for array, same, different in zip(drawn.inputs, again.inputs, other.inputs, strict=True):
        np.testing.assert_array_equal(array, same)
        assert not np.array_equal(array, different)
        assert np.isfinite(array).all()
    if drawn.answers == "class":
        counts = np.bincount(drawn.wanted.ravel(), minlength=drawn.units)
        assert len(counts) == drawn.units
        assert counts.min() >= 3
    elif drawn.answers == "real":
        assert drawn.wanted.shape == (96, drawn.units)
        assert 0.05 < drawn.wanted.std() < 4
    elif drawn.answers in ("first", "ordered"):
        assert drawn.wanted.shape == (96, 1)
    elif name == "rare_clicks":
        many = PROBLEMS[name](4000, np.random.default_rng(3)).wanted
        assert many.shape == (4000, 1)
        assert 0.04 < many.mean() < 0.09
    else:
        assert drawn.wanted.shape[-1] == drawn.units
        assert 0.2 < (drawn.wanted > 0).mean() < 0.8


def test_alterations_match_their_names() -> None:
    drawn = PROBLEMS["blobs"](200, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    (inputs,) = drawn.inputs
    np.testing.assert_allclose(altered("times 1000", drawn.inputs)[0], inputs * 1000, rtol=1e-6)
    assert altered("constant", drawn.inputs)[0].std() == 0
    assert (altered("one example", drawn.inputs)[0] == inputs[0]).all()
    assert altered("0 to 255", drawn.inputs)[0].max() <= 255
    assert altered("", drawn.inputs) is drawn.inputs
    assert labelled("from one", drawn, rng).min() == 1
    assert set(labelled("one class", drawn, rng)) == {0}
    shuffled = labelled("shuffled", drawn, rng)
    assert sorted(shuffled) == sorted(drawn.wanted)
    assert 0.1 < (shuffled == drawn.wanted).mean() < 0.45
    np.testing.assert_array_equal(labelled("one-hot", drawn, rng).argmax(axis=1), drawn.wanted)
    rare = labelled("99 to 1", PROBLEMS["rings"](4000, rng), rng)
    assert rare.shape == (4000, 1)
    assert 0 < rare.mean() < 0.02
    assert labelled("flat", PROBLEMS["rings"](10, rng), rng).shape == (10,)
    masks = PROBLEMS["masks"](10, rng)
    assert labelled("squeezed", masks, rng).shape == (10, 16, 16)
    assert set(labelled("times 255", masks, rng).ravel()) == {0, 255}
    (column,) = altered("one column", drawn.inputs)
    np.testing.assert_allclose(column[:, 0], inputs[:, 0] * 1000, rtol=1e-6)
    np.testing.assert_array_equal(column[:, 1:], inputs[:, 1:])
    (gaps,) = altered("missing", drawn.inputs)
    assert 0.0005 < np.isnan(gaps).mean() < 0.01
    np.testing.assert_array_equal(gaps[~np.isnan(gaps)], inputs[~np.isnan(gaps)])
    pair = PROBLEMS["clicks"](10, rng).inputs
    kept, lost = altered("second constant", pair)
    np.testing.assert_array_equal(kept, pair[0])
    assert lost.shape == (10, 6)
    assert not lost.any()
    with pytest.raises(KeyError):
        altered("times 7", drawn.inputs)
    with pytest.raises(KeyError):
        labelled("inverted", drawn, rng)


@pytest.mark.tensorflow
@pytest.mark.parametrize("kind", [*MODULES, "tutorial"])
def test_plans_use_existing_settings_and_change_them(kind: str) -> None:
    if kind == "tutorial":
        for case in _of_kind(kind):
            assert Settings.of(case.plan)
        return
    from bench.verdicts.training import Training

    module = import_module(f"bench.verdicts.networks.{MODULES[kind]}")
    build = inspect.signature(module.build).parameters
    defaults = {field.name: field.default for field in fields(Training)} | {
        name: parameter.default
        for name, parameter in build.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    for case in _of_kind(kind):
        assert set(case.plan) <= set(defaults), case.name
        change = getattr(case, "change", None)
        if change is not None:
            good = case.of.plan.get(change[0], defaults[change[0]])  # type: ignore[union-attr]
            assert change[1] != good, case.name


def _of_kind(kind: str) -> list[Case]:
    return [case for case in CASES if case.kind == kind]
