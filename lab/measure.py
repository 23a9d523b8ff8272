"""Runs a command to its end and says on stdout, as JSON, what it took: seconds of wall and CPU, bytes of memory at its peak.

    python3 measure.py SECONDS COMMAND [ARGUMENT]...

It is killed after so many seconds. What it prints on stdout is dropped; children that it waited for count with it.
"""

import json
import os
import signal
import sys
import time


def main():
    limit, *command = sys.argv[1:]
    null = os.open(os.devnull, os.O_RDWR)
    begin = time.monotonic()
    # In a process group of its own, which goes as a whole.
    child = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)],
        setpgroup=0,
    )
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(int(limit))
    _, status, usage = os.wait4(child, 0)
    json.dump(
        {
            "code": os.waitstatus_to_exitcode(status),
            "wall": time.monotonic() - begin,
            "cpu": usage.ru_utime + usage.ru_stime,
            # Linux counts in KiB, macOS in bytes.
            "memory": usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
