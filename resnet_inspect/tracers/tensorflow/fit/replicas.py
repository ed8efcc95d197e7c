"""The replicas of a step (`tf.distribute`), and the switch that turns recording on in each.

Replicas are traced one after the other into one graph, each on its own thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.tracers.tensorflow.taps.in_branch import value_of


class Place(NamedTuple):
    """A replica: its number, its device ("" for the default device), and the number of replicas."""

    number: int
    device: str
    of: int = 1


def replica() -> Place:
    """The replica that runs this code; number 0 without `tf.distribute`."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return Place(0, "")
    number = tf.get_static_value(context.replica_id_in_sync_group)
    return Place(int(number), _device(context), context.num_replicas_in_sync)


def _device(context: tf.distribute.ReplicaContext) -> str:
    """The first device of a replica: TensorFlow gives one device or a list of devices."""
    devices = context.devices[0]
    return str(devices if isinstance(devices, str) else devices[0])


def all_arrived() -> None:
    """Wait until every replica has been traced.

    Ops that are added to one replica earlier would change the seeds of random ops in the next one.
    """
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        context.merge_call(lambda _: None)


@dataclass(frozen=True)
class Switch:
    """Two variables shared with the host.

    `wanted`: the host sets it if the next step must be recorded. `ran`: the number of the trace
    that ran.
    """

    wanted: tf.Variable
    ran: tf.Variable


class Switches:
    """A switch for each replica, on its device.

    A switch is made when it is first used, as a program may set up devices before.
    """

    def __init__(self) -> None:
        self._switches: dict[int, Switch] = {}
        self._wanted = False

    def of(self, place: Place) -> Switch:
        """The switch of a replica."""
        if place.number not in self._switches:
            with tf.init_scope(), tf.device(place.device or None):
                self._switches[place.number] = Switch(
                    ResourceVariable(self._wanted, trainable=False),
                    ResourceVariable(0, trainable=False),
                )
        return self._switches[place.number]

    def set(self, *, wanted: bool) -> None:
        """Turn recording of the next step on or off."""
        if wanted == self._wanted and not wanted:
            return
        self._wanted = wanted
        for switch in self._switches.values():
            _assign(switch.ran, 0)
            _assign(switch.wanted, wanted)

    def take(self) -> int:
        """Turn recording off; returns the number of the trace that ran, 0 if none ran."""
        ran = max((int(value_of(switch.ran)) for switch in self._switches.values()), default=0)
        self.set(wanted=False)
        return ran


def _assign(variable: tf.Variable, value: int | bool) -> None:
    """Set a variable; `variable.assign` takes five times as long."""
    tf.raw_ops.AssignVariableOp(resource=variable.handle, value=tf.constant(value, variable.dtype))
