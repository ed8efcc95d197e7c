import sys
import tensorflow as tf
from tensorflow import keras
kernel = tf.Variable(tf.ones((5, 2)))
@tf.function
def forecast(features):
    return tf.matmul(features, kernel)
try:
    forecast(tf.ones((2, 3)))
except ValueError:
    print("caught")
if len(sys.argv) > 1:
    forecast(tf.ones((2, 4)))
