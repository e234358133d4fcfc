"""One function per verb of the command line. They return plain objects and print nothing.

A module is imported when something of it is first asked for: restoring a photograph needs no plots.
`__init__.pyi` lists the names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
