"""Settings of a recording: names, allowed values, and the source of each value."""

from resnet_inspect.config.fields import FIELDS, Field
from resnet_inspect.config.settings import Settings
from resnet_inspect.config.sources import ResolvedSettings, resolve

__all__ = ["FIELDS", "Field", "ResolvedSettings", "Settings", "resolve"]
