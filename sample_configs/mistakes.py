"""Small models with one mistake each, as people make them: `resnet-inspect trace` explains it.

Each function returns what is called on the inputs; the files *_mistake.toml say which inputs.
"""

import tensorflow as tf


def kernel_channels():
    """The kernel was made for four channels."""
    kernel = tf.Variable(tf.zeros([3, 3, 4, 16]), name="kernel")

    def model(images):
        return tf.nn.conv2d(images, kernel, strides=1, padding="SAME")

    return model


def labels_batch():
    """Labels of another batch size."""
    kernel = tf.Variable(tf.zeros([64, 10]), name="kernel")

    def model(images, labels):
        features = tf.reduce_mean(images, [1, 2])
        logits = tf.matmul(features, kernel)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    return model


def transposed():
    """Channels-first images where channels-last ones are wanted."""
    kernel = tf.Variable(tf.zeros([3, 3, 3, 16]), name="kernel")

    def model(images):
        return tf.nn.conv2d(tf.nn.relu(images), kernel, strides=1, padding="SAME")

    return model


def concatenated():
    """Branches of different width, joined along the height."""
    kernel = tf.Variable(tf.zeros([3, 3, 32, 64]), name="kernel")

    def model(images):
        wide = tf.nn.conv2d(images, kernel, strides=1, padding="SAME")
        return tf.concat([images, wide], axis=1)

    return model


def swapped():
    """The product the wrong way round."""
    kernel = tf.Variable(tf.zeros([64, 10]), name="kernel")

    def model(images):
        features = tf.reduce_mean(images, [1, 2])
        return tf.matmul(kernel, features)

    return model


def flattened():
    """A dense layer made for images of 32 by 32, fed larger ones."""
    kernel = tf.Variable(tf.zeros([3072, 10]), name="kernel")

    def model(images):
        flat = tf.reshape(images, [tf.shape(images)[0], -1])
        return tf.matmul(flat, kernel)

    return model
