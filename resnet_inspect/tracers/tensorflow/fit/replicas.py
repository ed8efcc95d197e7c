"""The replicas of a step (`tf.distribute`), and the switch by which each is told to record.

Replicas are traced one after the other into one graph, each on a thread of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.tracers.tensorflow.taps.in_branch import value_of


class Place(NamedTuple):
    """A replica: its number, its device ("" for the usual one), and how many there are."""

    number: int
    device: str
    of: int = 1


def replica() -> Place:
    """The replica whose code this is; the first where there is but one."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return Place(0, "")
    number = tf.get_static_value(context.replica_id_in_sync_group)
    return Place(int(number), _device(context), context.num_replicas_in_sync)


def _device(context: tf.distribute.ReplicaContext) -> str:
    """The first device of a replica: TensorFlow tells one, or a list of them."""
    devices = context.devices[0]
    return str(devices if isinstance(devices, str) else devices[0])


def all_arrived() -> None:
    """Wait until every replica is here: ops that are added to one of them before another is traced
    would change the seeds of that other's random ops.
    """
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        context.merge_call(lambda _: None)


@dataclass(frozen=True)
class Switch:
    """By which the host says that a step is to be recorded, and learns which trace ran."""

    wanted: tf.Variable
    ran: tf.Variable


class Switches:
    """A switch for each replica, on its device. They are made late: devices may still be set up."""

    def __init__(self) -> None:
        self._made: dict[int, Switch] = {}
        self._wanted = False

    def of(self, place: Place) -> Switch:
        """The switch of a replica, as it is set now."""
        if place.number not in self._made:
            with tf.init_scope(), tf.device(place.device or None):
                self._made[place.number] = Switch(
                    ResourceVariable(self._wanted, trainable=False),
                    ResourceVariable(0, trainable=False),
                )
        return self._made[place.number]

    def set(self, *, wanted: bool) -> None:
        """Before a step."""
        if wanted == self._wanted and not wanted:
            return
        self._wanted = wanted
        for switch in self._made.values():
            _assign(switch.ran, 0)
            _assign(switch.wanted, wanted)

    def take(self) -> int:
        """Switch off; the number of the trace that ran, 0 if none did."""
        ran = max((int(value_of(one.ran)) for one in self._made.values()), default=0)
        self.set(wanted=False)
        return ran


def _assign(variable: tf.Variable, value: int | bool) -> None:
    """Set a variable; its own method takes five times as long."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=tf.constant(value, variable.dtype))
