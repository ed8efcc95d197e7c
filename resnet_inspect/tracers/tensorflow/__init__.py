"""The only room that imports TensorFlow: builds, captures and taps its graphs.

Importing it loads TensorFlow, quietly, and raises FrameworkMissingError where there is none; the
modules of this room can then import it as usual.
"""

from resnet_inspect.tracers.tensorflow.runtime import load_tensorflow

load_tensorflow()
