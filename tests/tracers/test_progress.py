"""When a program counts as past its failure, and when it did enough steps."""

from __future__ import annotations

import math
import threading

import pytest

from resnet_inspect.tracers.progress import CallPlace, Counts, Progress, place_of


class Enough(Exception):
    """Raised instead of ending the process."""


def progress(failure: CallPlace | None, steps: int = 3) -> Progress:
    def enough() -> None:
        raise Enough

    return Progress(failure, steps, enough=enough)


def fit(course: Progress, steps: int, losses: tuple[float, ...] = ()) -> None:
    with course.call("fit"):
        for at in range(steps):
            course.step(losses[at] if losses else None)


def test_the_place_of_a_failure_is_on_the_exception() -> None:
    course = progress(None)
    fit(course, 2)

    def failing_fit() -> None:
        with course.call("fit"):
            course.step()
            raise ValueError("shape")

    with pytest.raises(ValueError, match="shape") as raised:
        failing_fit()
    assert place_of(raised.value) == CallPlace("fit", 2, 1)
    assert not course.active
    assert course.counts.steps == 3
    caused = KeyError("history")
    caused.__cause__ = raised.value
    assert place_of(caused) == CallPlace("fit", 2, 1)
    assert place_of(KeyError("history")) == CallPlace()


def test_a_fit_must_go_past_the_step_that_failed() -> None:
    course = progress(CallPlace("fit", 1, 4))
    with pytest.raises(Enough):
        fit(course, 20, tuple(float(10 - at) for at in range(20)))
    assert course.counts == Counts(True, 3, 7, 10.0, 4.0)


def test_losses_that_are_not_finite() -> None:
    course = progress(None)
    fit(course, 3, (1.0, math.nan, 2.0))
    assert course.counts == Counts(False, 0, 3, 1.0, 2.0, finite=False)
    course.step(math.inf)
    assert (course.counts.last_loss, course.counts.finite) == (None, False)


def test_steps_of_an_earlier_fit_do_not_count() -> None:
    course = progress(CallPlace("fit", 2, 0))
    fit(course, 5)
    assert not course.counts.passed
    with pytest.raises(Enough):
        fit(course, 5)
    assert (course.counts.beyond, course.counts.steps) == (3, 8)


def test_a_short_fit_that_ends_is_past_the_failure_and_later_steps_count() -> None:
    course = progress(CallPlace("fit", 1, 2))
    fit(course, 2)  # the failure was after its last step, in the validation
    assert course.counts == Counts(True, 0, 2)
    with pytest.raises(Enough):
        fit(course, 3)


def test_calls_of_the_kind_that_failed_count_as_steps() -> None:
    course = progress(CallPlace("session", 2), steps=2)
    for passed, beyond in ((False, 0), (True, 1)):
        with course.call("session"):
            pass
        with course.call("predict"):
            pass
        assert (course.counts.passed, course.counts.beyond) == (passed, beyond)
    with pytest.raises(Enough), course.call("session"):
        pass


def test_a_step_inside_a_call_counts_once() -> None:
    course = progress(CallPlace("function", 1))
    for beyond in (1, 2):
        with course.call("function"):
            course.step()
        assert (course.counts.beyond, course.counts.steps) == (beyond, beyond)


def test_the_landmark_counts_only_for_failures_outside_of_calls() -> None:
    inside, outside, first = (progress(place) for place in (CallPlace("fit", 1), CallPlace(), None))
    for course in (inside, outside, first):
        course.landmark()
    assert [course.counts.passed for course in (inside, outside, first)] == [False, True, False]
    with pytest.raises(Enough):
        fit(outside, 5)


def test_calls_in_other_threads_are_not_counted() -> None:
    course = progress(None)
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(course.active))
    thread.start()
    thread.join()
    assert (seen, course.active) == ([True], False)
