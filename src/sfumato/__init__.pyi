"""Every public name of `sfumato`."""

from . import api as api
from .api import (
    Restoration as Restoration,
)
from .api import (
    Run as Run,
)
from .api import (
    collect as collect,
)
from .api import (
    compare as compare,
)
from .api import (
    compare_restorers as compare_restorers,
)
from .api import (
    copy as copy,
)
from .api import (
    degrade as degrade,
)
from .api import (
    demo as demo,
)
from .api import (
    diagnose as diagnose,
)
from .api import (
    doctor as doctor,
)
from .api import (
    evaluate as evaluate,
)
from .api import (
    examples as examples,
)
from .api import (
    explore as explore,
)
from .api import (
    inspect as inspect,
)
from .api import (
    leaderboard as leaderboard,
)
from .api import (
    list_runs as list_runs,
)
from .api import (
    prepare as prepare,
)
from .api import (
    preset as preset,
)
from .api import (
    presets as presets,
)
from .api import (
    preview as preview,
)
from .api import (
    rename as rename,
)
from .api import (
    restore as restore,
)
from .api import (
    restore_files as restore_files,
)
from .api import (
    resume as resume,
)
from .api import (
    sample as sample,
)
from .api import (
    score as score,
)
from .api import (
    start as start,
)
from .api import (
    start_again as start_again,
)
from .api import (
    stop as stop,
)
from .api import (
    train as train,
)
from .api import (
    upscale as upscale,
)
