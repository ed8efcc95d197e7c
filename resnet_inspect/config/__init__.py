"""One trace's settings: what they are, what they may be, and where each value came from."""

from resnet_inspect.config.fields import FIELDS, Field
from resnet_inspect.config.settings import Settings
from resnet_inspect.config.sources import Resolved, resolve

__all__ = ["FIELDS", "Field", "Resolved", "Settings", "resolve"]
