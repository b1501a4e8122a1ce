"""The garbage collector of a process that serves."""

import gc

# What a request leaves behind is freed by counting references; circles are few. By the usual
# thresholds the collector would look through everything some times a second.
_THRESHOLDS = (50_000, 20, 20)


def settle() -> None:
    """Leave out of every later collection what is there by now: modules, types, the schema.

    To look through all of it takes 150 ms and more, during which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
