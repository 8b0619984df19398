#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The disk of the history is full for a while: captions go on, it is said once and tried again, and
nothing is missing in the end. The sound comes from a file."""

import contextlib
import os
import subprocess
import sys
import tempfile

import live


@contextlib.contextmanager
def small_disk(home):
    """A disk of 256 KiB for the history; yields what fills it. The test is skipped where mounting one
    is not allowed."""
    mount = tempfile.mkdtemp(prefix="utter-disk-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", mount],
                          stderr=subprocess.PIPE, encoding="utf-8")
    if done.returncode != 0:
        os.rmdir(mount)
        print("skipped: a disk cannot be mounted:", done.stderr.split("\n")[0])
        sys.exit(77)
    try:
        home.state = home.environment["XDG_STATE_HOME"] = mount
        ballast = os.path.join(mount, "ballast")

        def fill():
            with open(ballast, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(4096))
            return ballast

        yield fill
    finally:
        subprocess.run(["umount", mount], check=True)
        os.rmdir(mount)


def a_full_disk_is_said_and_tried_again():
    with live.Home() as home, small_disk(home) as fill:
        ballast = fill()
        with live.Pipe(home, ["--demo"]) as program:
            live.wait_for(lambda: program.says("No space left on device"), "the full disk's mention")
            live.wait_for(lambda: len(live.words_of(program.output())) > 3, "captions all the same")
            os.unlink(ballast)
            live.wait_for(lambda: program.says("everything is written now"), "the end of it")
            assert program.errors().count("No space left") == 1, "it is said again and again"
            program.kill(9)
            program.wait_end()
            said = live.words_of(program.output())
        assert home.kept_words()[: len(said)] == said, f"{home.kept_words()} lacks some of {said}"

        ballast = fill()
        with live.Terminal(home, ["--demo"], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("No space left on device"), "it on the screen")
            live.wait_for(lambda: live.words_of(terminal.screen().split("●")[0]), "captions")
            terminal.keys("q")
            assert terminal.wait_end() == 1, "a session that is not complete is no success"
            assert "not completely kept" in terminal.screen()


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty", "mount")
    live.run(a_full_disk_is_said_and_tried_again)
