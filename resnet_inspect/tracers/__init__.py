"""Front ends that turn a framework's model into a graph and a stream of step records.

A tracer returns a graph and hands its steps to a `Sink`; it knows nothing of files or screens.
Tracers are named in `registry` as "module:attribute" strings, so that no framework loads before
it is asked for.
"""
