"""What a process loads at its start, it keeps: so there is no search for garbage meanwhile, and none in it afterwards.

A search looks at everything that is there. While modules load it finds next to nothing, and takes a tenth of the time. Afterwards it would first of all
copy the memory: the server loads the function in one process and answers in another, forked from it, and the two share what neither writes to.
(So what a first request needs is best loaded by then.)
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Around an entry point's imports."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
