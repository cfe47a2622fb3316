"""What counting alone reaches: the baselines that every result of a model is compared with.

The package can be called: `trajectory.baselines(log)` is `trajectory.api_evaluation.baselines`, and a package of the
same name takes its place as soon as anything imports it.
"""

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    def __call__(self, log: Any) -> Any:
        from trajectory.api_evaluation import baselines

        return baselines(log)


sys.modules[__name__].__class__ = _Callable
