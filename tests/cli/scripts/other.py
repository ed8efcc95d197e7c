import sys
word = sys.argv[1]
if word == "legacy":
    import numpy as np, tf_keras
    model = tf_keras.Sequential([tf_keras.layers.Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    model.fit(np.ones((64, 4)), np.ones((64, 1)), verbose=0)
if word == "session":
    import tensorflow as tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        print(session.run(tf.constant(3) + 4))
if word == "hidden":
    import tensorflow as tf
    weight = tf.Variable(1.0)
    optimizer = tf.keras.optimizers.SGD(0.1)
    @tf.function
    def epoch():
        for _ in tf.range(3):
            with tf.GradientTape() as tape:
                loss = tf.square(weight)
            optimizer.apply(tape.gradient(loss, [weight]), [weight])
    epoch()
if word == "own":
    import numpy as np, keras, resnet_inspect
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    own = resnet_inspect.Recorder("own.db")
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0, callbacks=[own])
    step = resnet_inspect.Recorder("batches.db").instrument(model.train_on_batch)
    step(np.ones((8, 4)), np.ones((8, 1)))
