"""Small models with one common mistake each, which `resnet-inspect trace` explains.

Each function returns a function of the inputs. The files *_mistake.toml describe the inputs.
"""

import tensorflow as tf


def kernel_channels():
    """The kernel expects 4 channels, but images have 3."""
    kernel = tf.Variable(tf.zeros([3, 3, 4, 16]), name="kernel")

    def model(images):
        return tf.nn.conv2d(images, kernel, strides=1, padding="SAME")

    return model


def labels_batch():
    """The labels have another batch size than the images."""
    kernel = tf.Variable(tf.zeros([64, 10]), name="kernel")

    def model(images, labels):
        features = tf.reduce_mean(images, [1, 2])
        logits = tf.matmul(features, kernel)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    return model


def transposed():
    """The convolution expects channels-last images, but gets channels-first images."""
    kernel = tf.Variable(tf.zeros([3, 3, 3, 16]), name="kernel")

    def model(images):
        return tf.nn.conv2d(tf.nn.relu(images), kernel, strides=1, padding="SAME")

    return model


def concatenated():
    """Branches with different numbers of channels are concatenated along the height."""
    kernel = tf.Variable(tf.zeros([3, 3, 32, 64]), name="kernel")

    def model(images):
        wide = tf.nn.conv2d(images, kernel, strides=1, padding="SAME")
        return tf.concat([images, wide], axis=1)

    return model


def swapped():
    """The operands of the product are swapped."""
    kernel = tf.Variable(tf.zeros([64, 10]), name="kernel")

    def model(images):
        features = tf.reduce_mean(images, [1, 2])
        return tf.matmul(kernel, features)

    return model


def flattened():
    """The dense layer expects flattened 32×32 images, but the images are larger."""
    kernel = tf.Variable(tf.zeros([3072, 10]), name="kernel")

    def model(images):
        flat = tf.reshape(images, [tf.shape(images)[0], -1])
        return tf.matmul(flat, kernel)

    return model
