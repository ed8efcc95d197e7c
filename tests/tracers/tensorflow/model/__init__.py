"""Models of users: functions, Keras models, saved ones."""
