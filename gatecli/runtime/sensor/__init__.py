"""The sensor that runs inside the recorded program: which project functions ever ran, and roughly how often.

It stands alone: nothing but the standard library, and its own modules by relative imports, as it is loaded into
interpreters that have no gate. On Python 3.12 and newer it listens to ``sys.monitoring``
(https://peps.python.org/pep-0669/): that a function starts is told once, and then the interpreter forgets to tell, so
"ever ran" costs nothing. The calls of the project's own functions are counted, those of the busiest in short windows
(``GATE_RECORD_DUTY``, by default at most a twentieth of the time, and less where that would cost more than
``windows.BUDGET``), as are callers and errors, scaled up by the processor time that the program used in all and in the
windows. What it finds is
written every few seconds and at the end, whole or not at all, as a profile that ``gate profile import`` reads.

- ``GATE_RECORD``: the file to write; a folder gets a file a process. Without it nothing happens.
- ``GATE_RECORD_ROOTS``: folders of the project, separated as in ``PATH``; default: the working directory.
- ``GATE_RECORD_DUTY``: the part of the time in which calls are counted, 0..1.
"""

import os
import sys

from .document import own_file
from .listening import FLUSH_S, Sensor, is_possible
from .windows import DUTY

__all__ = ["DUTY", "FLUSH_S", "Sensor", "start"]


def start() -> Sensor | None:
    """Begin, where ``GATE_RECORD`` says so and the interpreter can; never a reason for the program not to run."""
    target = os.environ.get("GATE_RECORD", "")
    if not target or not is_possible():
        return None
    try:
        if os.path.isdir(target) or target.endswith(("/", os.sep)):
            target = os.path.join(target, f"gate-{os.getpid()}.json")
        elif os.environ.get("GATE_RECORD_PROCESS"):
            target = own_file(target)
        os.environ["GATE_RECORD_PROCESS"] = str(os.getpid())
        roots = os.environ.get("GATE_RECORD_ROOTS") or os.getcwd()
        duty = float(os.environ.get("GATE_RECORD_DUTY") or DUTY)
        sensor = Sensor(target, [os.path.abspath(root) for root in roots.split(os.pathsep) if root], duty)
        return sensor if sensor.start() else None
    except Exception as error:
        sys.stderr.write(f"gate: not recorded: {type(error).__name__}: {error}\n")
        return None
