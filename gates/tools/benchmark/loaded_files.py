"""Loaded into pytest by gates, in the project's own interpreter: tells which files had been imported at the end.

So it is seen, not assumed, that the benchmarks of an earlier build ran its own source. Only the standard library.
"""

import json
import os
import sys


def pytest_sessionfinish() -> None:
    """Write the environment's folder and the files of all modules, as real paths."""
    names = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = sorted({os.path.realpath(name) for name in names if isinstance(name, str) and name != __file__})
    with open(os.environ["GATES_LOADED_FILES"], "w", encoding="utf-8") as file:
        json.dump({"prefix": os.path.realpath(sys.prefix), "files": files}, file)
