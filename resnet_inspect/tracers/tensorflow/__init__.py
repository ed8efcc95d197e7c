"""Builds, captures and taps TensorFlow graphs; the only package that imports TensorFlow.

Importing it loads TensorFlow without its log output. Raises FrameworkMissingError if TensorFlow
is not installed. Modules of this package can therefore import it directly.
"""

from resnet_inspect.tracers.tensorflow.runtime import load_tensorflow

load_tensorflow()
