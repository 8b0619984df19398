#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Tab key: in each shell that is here, interactive and in a terminal, it completes commands,
options, their values and the names of kept sessions."""

import os
import pathlib
import shutil

import live

DATA = pathlib.Path(__file__).resolve().parents[2] / "src/app/data"

# How each shell starts without anybody's settings, and takes the completion in.
SHELLS = {
    "bash": ("bash --norc --noprofile -i", f"PS1='% '; . {DATA}/utter.bash"),
    "zsh": ("zsh -f -i", f"PS1='%% '; fpath=({DATA} $fpath); autoload -U compinit; compinit -u -D"),
    "fish": ("fish -N -i", f"function fish_prompt; echo -n '% '; end; source {DATA}/utter.fish;"
             "set -g fish_autosuggestion_enabled 0"),
}
# What is typed before Tab, and what stands there then. Of one possibility each.
CASES = [
    ("utter tr", "utter transcribe"),
    ("utter transcribe --str", "utter transcribe --stride"),
    ("utter history --ol", "utter history --older"),
    ("utter transcribe --case l", "utter transcribe --case lower"),
    ("utter --theme col", "utter --theme colour-safe"),
    ("utter history show 2020-", "utter history show 2020-02-03_040506"),
    ("utter transcribe tal", "utter transcribe talk.flac"),
]


class Shell(live.Terminal):
    """A terminal with a shell in it."""

    def __init__(self, home, name):
        self.home = home
        self.file = lambda name: os.path.join(home.path, name)
        start, setting = SHELLS[name]
        self.tmux("new-session", "-d", "-x", "100", "-y", "24", f"cd {home.path} && exec {start}")
        self.pid = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        self.type(setting)
        self.keys("Enter")
        self.clear()

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def line(self):
        """What stands where one types."""
        return self.screen().rstrip("\n").split("\n")[0].rstrip()

    def clear(self):
        self.keys("C-u", "C-l")
        live.wait_for(lambda: self.line() == "%", "an empty prompt")


def tab_completes(name):
    with live.Home() as home:
        home.environment["PATH"] = os.path.dirname(live.PROGRAM) + ":" + os.environ["PATH"]
        sessions = os.path.join(home.state, "utter", "sessions")
        os.makedirs(sessions)
        for path in (os.path.join(sessions, "2020-02-03_040506.jsonl"), os.path.join(home.path, "talk.flac")):
            with open(path, "w"):
                pass
        with Shell(home, name) as shell:
            for typed, wanted in CASES:
                shell.type(typed)
                live.wait_for(lambda: shell.line() == "% " + typed, f"{name} to show {typed!r}")
                shell.keys("Tab")
                live.wait_for(lambda: shell.line() == "% " + wanted, f"{name} to make {wanted!r} of {typed!r}", 30)
                shell.clear()
    print(f"   {name}: {len(CASES)} completions")


def every_shell_completes():
    for name in SHELLS:
        if shutil.which(name) is None:
            print(f"   {name} is not here: not tested")
        else:
            tab_completes(name)


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "bash")
    live.run(every_shell_completes)
