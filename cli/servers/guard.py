"""Turns into another program that dies with whoever started it, even on SIGKILL.

    python -I -S guard.py SIGNAL PARENT USER COMMAND...

SIGNAL is a number; PARENT the process id that must still be the parent; USER a `uid:gid` to become, or `-`.
It is a script of its own because the death signal belongs to a process, must be set after a change of user
(the kernel clears it then), and cannot be set safely between fork and exec of a process with threads. It
leaves nothing in memory: `exec` replaces it. Only Linux has the signal; elsewhere what outlives a killed
parent is ended by the next start (see `process.end_leftover`).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PARENT_GONE = 70
NO_PROGRAM = 127


def become(user: str) -> None:
    """Change to `uid:gid` without other groups. Raises PermissionError unless this is root."""
    uid, gid = (int(part) for part in user.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the thread that started this process ends."""
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError("prctl(PR_SET_PDEATHSIG) was refused")


def main(arguments: list[str]) -> int:
    """Run the command in place of this process; returns only when that cannot be."""
    death_signal, parent, user, *command = arguments
    if user != "-":
        become(user)
    die_with_parent(int(death_signal))
    if os.getppid() != int(parent):
        return PARENT_GONE
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the caller's own
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    return NO_PROGRAM


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
