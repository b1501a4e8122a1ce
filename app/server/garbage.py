"""The garbage collector of a process that serves."""

import gc

# What a request leaves behind is freed by counting references; circles are few. By the usual
# thresholds the collector would look through everything some times a second. While hundreds of
# requests wait, most of what is new is alive: to look through 50,000 of it takes 40 to 80 ms, in
# which nobody is refused either, and through 3,000 some 3 ms.
_THRESHOLDS = (3_000, 5, 100)


def settle() -> None:
    """Leave out of every later collection what is there by now: modules, types, the schema.

    To look through all of it takes 150 ms and more, during which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
