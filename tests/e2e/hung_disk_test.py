#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The disk hangs, as a network share does that is gone: captions go on, keys are answered, it is said,
and when the disk is back nothing is missing. The sound comes from a file."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import live


@contextlib.contextmanager
def frozen_disk(home):
    """A disk for the history; yields what stops it and lets it go on. The test is skipped where mounting
    one is not allowed."""
    folder = tempfile.mkdtemp(prefix="utter-disk-")
    image, mount = os.path.join(folder, "image"), os.path.join(folder, "mount")
    os.mkdir(mount)
    with open(image, "wb") as file:
        file.truncate(16 << 20)
    try:
        for command in (["mkfs.ext4", "-q", "-F", image], ["mount", "-o", "loop", image, mount]):
            done = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8")
            if done.returncode != 0:
                print("skipped: a disk cannot be mounted:", done.stderr.split("\n")[0])
                sys.exit(77)
        home.state = home.environment["XDG_STATE_HOME"] = os.path.join(mount, "state")
        try:
            yield lambda frozen: subprocess.run(["fsfreeze", "-f" if frozen else "-u", mount], check=True)
        finally:
            subprocess.run(["fsfreeze", "-u", mount], stderr=subprocess.DEVNULL)
            live.wait_for(lambda: subprocess.run(["umount", mount], stderr=subprocess.DEVNULL).returncode == 0,
                          "everybody to leave the disk")
    finally:
        shutil.rmtree(folder)


def slowest_key(terminal):
    """How many seconds a key takes at most: the help comes and goes."""
    slowest = 0
    for shown in [True, False] * 5:
        begin = time.monotonic()
        terminal.keys("?")
        live.wait_for(lambda: terminal.shows("copy") == shown, "the help to come and go")
        slowest = max(slowest, time.monotonic() - begin)
    return slowest


def words_shown(terminal):
    return live.words_of(terminal.screen().split("●")[0])


def the_history_waits_in_memory():
    with live.Home() as home, frozen_disk(home) as freeze:
        with live.Terminal(home, ["--demo"], columns=100) as terminal:
            live.wait_for(lambda: words_shown(terminal), "captions")
            freeze(True)
            before = len(words_shown(terminal))
            live.wait_for(lambda: len(words_shown(terminal)) > before + 3, "captions all the same")
            live.wait_for(lambda: terminal.shows("the history: the disk does not answer"), "a word about it")
            print(f"   a key took {1000 * slowest_key(terminal):.0f} ms at most while the disk hung")
            freeze(False)
            live.wait_for(lambda: terminal.shows("everything is written now"), "the end of it")
            freeze(True)
            live.wait_for(lambda: terminal.shows("the end"), "the end of the recording")
            terminal.keys("q")
            live.wait_for(lambda: terminal.shows("not all is written"), "why it does not end")
            freeze(False)
            assert terminal.wait_end() == 0
        whole = subprocess.run([live.PROGRAM, "--demo", "--speed", "20", "--no-history"], env=home.environment,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, encoding="utf-8").stdout
        assert home.kept_words() == live.words_of(whole), (home.kept_words(), whole)
        assert '"end"' in home.history("export", "--format", "jsonl")


def a_file_that_hangs_gets_all_of_it_later():
    """A pipe that is full and that nobody reads."""
    with live.Home() as home:
        path = os.path.join(home.path, "pipe")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        size = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
        assert os.write(reader, bytes(size)) == size
        with live.Terminal(home, ["--demo", "--format", "jsonl", "-o", path], columns=100) as terminal:
            live.wait_for(lambda: terminal.shows("the disk does not answer"), "a word about it")
            before = len(words_shown(terminal))
            print(f"   a key took {1000 * slowest_key(terminal):.0f} ms at most while the file hung")
            live.wait_for(lambda: len(words_shown(terminal)) > before + 3, "captions all the same")
            terminal.keys("q")
            live.wait_for(lambda: terminal.shows("not all is written"), "why it does not end")
            data = b""
            while terminal.read("status") == "":
                with contextlib.suppress(BlockingIOError):
                    data += os.read(reader, size)
                time.sleep(0.01)
            with contextlib.suppress(BlockingIOError):
                data += os.read(reader, size)
            assert terminal.wait_end() == 0
        os.close(reader)
        events = [json.loads(line) for line in data.lstrip(b"\0").decode().splitlines()]
        kept = home.kept_words()
        assert live.words_of(" ".join(e["text"] for e in events if e["type"] == "final")) == kept != [], events


def who_has_no_patience_can_leave():
    with live.Home() as home, frozen_disk(home) as freeze:
        with live.Pipe(home, ["--demo"]) as program:
            live.wait_for(lambda: live.words_of(program.output()), "captions")
            freeze(True)
            time.sleep(1)
            for _ in range(3):
                program.kill(signal.SIGINT)
                time.sleep(1)
            freeze(False) # a process ends when the disk has answered its last call
            assert program.wait_end() == 128 + signal.SIGINT
        assert home.kept_words(), "what was written before is gone"


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty", "mount", "mkfs.ext4", "fsfreeze")
    live.run(the_history_waits_in_memory, a_file_that_hangs_gets_all_of_it_later, who_has_no_patience_can_leave)
