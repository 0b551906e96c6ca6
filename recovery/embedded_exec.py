"""Turns its own process into a private server that dies with the parent and never runs as root.

Run as a script by ``recovery.embedded_process``: a function run between fork and exec would be unsafe in a process
with threads, a fresh interpreter is not. Arguments: parent pid, signal to get when the parent dies, user id and
group id or -1, a folder or "", then the program with its arguments, in which ``{folder}`` stands for that folder.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Prepare this process and become the program."""
    parent, death_signal, user, group = (int(argument) for argument in arguments[:4])
    folder, command = arguments[4], arguments[5:]
    reachable = _open_as_root(folder) if folder and os.path.isdir("/proc/self/fd") else folder
    os.chdir("/")
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        # After setuid, which would clear it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the parent is gone already")
    command = [argument.replace("{folder}", reachable) for argument in command]
    # An empty environment: the caller's locale, PG* and library settings are not the server's business.
    os.execve(command[0], command, {"PATH": "/usr/bin:/bin", "LC_ALL": "C"})  # noqa: S606 - paths come from our own search


def _open_as_root(folder: str) -> str:
    """A name of the folder that stays usable after giving up root, even below a closed folder such as /root."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.set_inheritable(descriptor, True)
    return f"/proc/self/fd/{descriptor}"


if __name__ == "__main__":
    main(sys.argv[1:])
