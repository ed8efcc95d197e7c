"""The tutorial's network, written for TensorFlow 1. It does not use resnet-inspect.

resnet-inspect trace sample_configs/old_resnet.py:inference --tf1 --input images=8,32,32,3 --set n=1
"""

import tensorflow as tf

WEIGHT_DECAY = 2e-4
BOUNDARIES = [10000, 15000, 20000, 25000]
RATES = [0.1, 0.05, 0.01, 0.005, 0.001]


def inference(images, n=5, ver=2, filters=16, is_training=True, reuse=tf.AUTO_REUSE):
    """Return the logits of a batch of images [batch, height, width, channels]; 6n+2 layers."""
    x = tf.layers.conv2d(images, 16, 3, padding="same", name="conv1", reuse=reuse)
    if ver == 1:
        x = batch_norm(x, is_training, reuse, name="bn_conv1")
        x = tf.nn.relu(x)

    conv_block = conv_block_v1 if ver == 1 else conv_block_v2
    for stage in range(3):
        stage_filter = filters * 2**stage
        for i in range(n):
            at = "%d%d" % (stage, i)
            with tf.name_scope("conv_block_stage%d" % stage):
                x = conv_block(x, stage_filter, at, i == 0 and stage > 0, is_training, reuse)

    if ver == 2:
        x = batch_norm(x, is_training, reuse, name="pre_activation_final_norm")
        x = tf.nn.relu(x)
    x = tf.reduce_mean(x, [1, 2], keep_dims=True)
    x = tf.identity(x, "final_reduce_mean")
    x = tf.reshape(x, [-1, filters * 2**2])
    return tf.layers.dense(x, 10, name="dense1", reuse=reuse)


def conv_block_v1(inputs, filters, at, project, is_training, reuse):
    """Apply convolution, normalization and ReLU twice, with the addition before the second ReLU."""
    strides = 2 if project else 1
    shortcut = inputs
    if project:
        shortcut = conv2d(inputs, filters, 1, strides, reuse, name="res%s_branch1" % at)
        shortcut = batch_norm(shortcut, is_training, reuse, name="bn%s_branch1" % at)
    x = conv2d(inputs, filters, 3, strides, reuse, name="res%s_branch2a" % at)
    x = batch_norm(x, is_training, reuse, name="bn%s_branch2a" % at)
    x = tf.nn.relu(x)
    x = conv2d(x, filters, 3, 1, reuse, name="res%s_branch2b" % at)
    x = batch_norm(x, is_training, reuse, name="bn%s_branch2b" % at)
    return tf.nn.relu(shortcut + x)


def conv_block_v2(inputs, filters, at, project, is_training, reuse):
    """Apply normalization, ReLU and convolution twice, then the addition."""
    strides = 2 if project else 1
    shortcut = inputs
    x = batch_norm(inputs, is_training, reuse, name="bn%s_branch2a" % at)
    x = tf.nn.relu(x)
    if project:
        shortcut = conv2d(x, filters, 1, strides, reuse, name="res%s_branch1" % at)
        shortcut = batch_norm(shortcut, is_training, reuse, name="bn%s_branch1" % at)
    x = conv2d(x, filters, 3, strides, reuse, name="res%s_branch2a" % at)
    x = batch_norm(x, is_training, reuse, name="bn%s_branch2b" % at)
    x = tf.nn.relu(x)
    x = conv2d(x, filters, 3, 1, reuse, name="res%s_branch2b" % at)
    return shortcut + x


def conv2d(x, filters, size, strides, reuse, name):
    """Apply a convolution of a block, with the kernel initialized as by He et al."""
    return tf.layers.conv2d(
        x,
        filters,
        size,
        strides,
        padding="same",
        kernel_initializer=tf.contrib.layers.variance_scaling_initializer(),
        name=name,
        reuse=reuse,
    )


def batch_norm(x, is_training, reuse, name):
    """Normalize by batch statistics in training, by moving averages otherwise."""
    return tf.layers.batch_normalization(x, training=is_training, name=name, reuse=reuse)


def train(images, labels, n=5, ver=2, filters=16, momentum=0.9):
    """Return the operation that runs one training step, and the loss."""
    logits = inference(images, n, ver, filters)
    with tf.name_scope("cross_entropy"):
        entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        cross_entropy = tf.reduce_mean(entropies)
    with tf.name_scope("l2_loss"):
        squares = [tf.nn.l2_loss(tf.cast(v, tf.float32)) for v in tf.trainable_variables()]
        l2_loss = WEIGHT_DECAY * tf.add_n(squares)
    loss = tf.add(cross_entropy, l2_loss, name="loss")

    global_step = tf.train.get_or_create_global_step()
    learning_rate = tf.train.piecewise_constant(global_step, BOUNDARIES, RATES)
    optimizer = tf.train.MomentumOptimizer(learning_rate, momentum)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, global_step)
    return train_op, loss


def train_and_validate(images, labels, held_out, n=1):
    """Return a training step, the loss, and the logits of other images by the same variables."""
    train_op, loss = train(images, labels, n)
    return train_op, loss, inference(held_out, n, is_training=False)
