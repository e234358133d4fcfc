"""Sfumato: a folder of images goes in; competing models and an honest comparison come out.

    import sfumato as sf
    run = sf.train("flow", data="photos/", budget="5m")
    images = sf.sample(run, n=16, seed=0)
    sf.compare([run, other])

Importing the package is cheap; what needs torch is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
