"""Tests of user's models: functions, Keras models, saved models."""
