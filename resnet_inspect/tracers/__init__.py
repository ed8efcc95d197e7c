"""Front ends that turn a framework's model into a graph and a stream of step records.

A tracer writes a graph and its steps to a `Journal`; files and screens are outside its scope.
`registry` names tracers as "module:attribute" strings, so a framework is loaded only when it is
needed.
"""
