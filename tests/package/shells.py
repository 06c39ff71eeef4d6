#!/usr/bin/env python3
"""The completions, in the shells that they are for: types a beginning and a tab into each, and looks at what became of it."""

import os
import pty
import re
import select
import sys
import tempfile
import time
from pathlib import Path

COMPLETIONS = Path(__file__).resolve().parents[2] / "completions"

# What is typed before the tab, and the arguments that come of it; zsh may leave the `=` for a value.
ROWS = [
    ("swagip --max-connections-p", "<--max-connections-per-client=?>"),
    ("swagip health", "<healthcheck>"),
    ("swagip --threads p", "<--threads><pinned>"),
    ("swagip --trusted-proxy loop", "<--trusted-proxy><loopback>"),
    ("swagip healthcheck --listen-p", "<healthcheck><--listen-proxy=?>"),
]

# The command that starts each shell with no file of the user's, what it is told first, and how a function prints its arguments.
# `fpath` is how a package's files are found, so that zsh autoloads its own.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"source {COMPLETIONS}/swagip.bash; complete -p swagip", 'swagip() { printf "<%s>" "$@"; }'),
    "zsh": (["zsh", "-f", "-i"], f"fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -D", 'swagip() { printf "<%s>" "$@"; }'),
    "fish": (["fish", "--no-config", "-i"], f"source {COMPLETIONS}/swagip.fish", 'function swagip; printf "<%s>" $argv; end'),
}

# Far more than a shell takes; one that answers not at all is an error.
PATIENCE = 30


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command, home):
        self.seen = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ.update(HOME=home, TERM="dumb", LC_ALL="C.UTF-8", HISTFILE="")
            os.chdir(home)
            os.execvp(command[0], command)

    def type(self, text):
        os.write(self.terminal, text.encode())

    def expect(self, pattern):
        """Reads until `pattern` is there, and forgets what stood up to its end."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {pattern} in {self.seen!r}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]


def try_shell(name, home):
    command, setup, function = SHELLS[name]
    shell = Shell(command, home)
    # The sum is not in what is typed, so only a shell that has read all of it prints it.
    sums = '"$((40 + 2))"' if name != "fish" else "(math 40 + 2)"
    shell.type(f"{setup}\r{function}\recho ready-{sums}\r")
    shell.expect("ready-42")
    for typed, expected in ROWS:
        shell.type(f"{typed}\t\r")
        shell.expect(expected)
    shell.type("exit\r")


def main():
    for name in sys.argv[1:] or SHELLS:
        with tempfile.TemporaryDirectory() as home:
            try_shell(name, home)
        print(f"{name}: {len(ROWS)} completions")


main()
