#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The history keeps what was said: when the program is killed at any moment, and until it is deleted.
The sound comes from a file."""

import json
import os
import random
import re
import subprocess
import time

import live

KILLS = 8


def listen(home, *arguments):
    """Live captions of the recording, to their end."""
    subprocess.run(
        [live.PROGRAM, "--input", live.clip(), "--speed", "8", *arguments],
        env=home.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def refused(home, *arguments):
    """`utter history` that fails; its status and what it says."""
    done = subprocess.run(
        [live.PROGRAM, "history", *arguments],
        env=home.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert done.returncode != 0 and done.stdout == "", done
    assert re.fullmatch(r"utter: [^\n]+\n", done.stderr), done.stderr
    return done.returncode, done.stderr


def whole_lines(text):
    return [json.loads(line) for line in text.split("\n")[:-1]]


def nothing_committed_is_missing_after_a_kill():
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    killed = 0
    for _ in range(KILLS):
        with live.Home() as home:
            with live.Pipe(home, ["--demo", "--format", "jsonl"]) as program:
                wanted = moments.randrange(1, 6)
                live.wait_for(lambda: len(program.output().split("\n")) > wanted, "some events")
                time.sleep(moments.uniform(0, 1))
                program.kill(9)
                program.wait_end()
                told = [event for event in whole_lines(program.output())
                        if event["type"] in ("commit", "final", "gap")]
            (session,) = home.sessions()
            with open(session, encoding="utf-8") as file:
                kept = whole_lines(file.read())
            for event in told:
                assert event in kept, f"seed {seed}: {event} is missing"
            assert "cut" in home.history() and "cut short" in home.history("show")
            words = [word for event in told if event["type"] == "commit"
                     for word in live.words_of(event["text"])]
            killed += bool(words)
            assert len(home.kept_words()) >= len(words) - 1, f"seed {seed}"
    assert killed > 0, f"seed {seed}: no word was said before any kill"


def exports_are_what_was_written_live():
    with live.Home() as home:
        for extension in ("txt", "srt", "vtt", "jsonl"):
            path = os.path.join(home.path, f"live.{extension}")
            listen(home, "-o", path, "--case", "sentence")
            with open(path, encoding="utf-8") as file:
                live_text = file.read()
            out = os.path.join(home.path, f"export.{extension}")
            assert home.history("export", "-o", out, "--case", "sentence") == ""
            with open(out, encoding="utf-8") as file:
                exported = file.read()
            if extension == "jsonl":
                finals = [event for event in whole_lines(live_text) if event["type"] == "final"]
                assert whole_lines(exported) == finals
            else:
                assert exported == live_text, f"{exported!r} is not {live_text!r}"
        assert len(home.sessions()) == 4
        recording = json.loads(home.history("export", "--format", "json"))
        assert live.words_of(recording["text"]) == home.kept_words()
        assert [word["text"] for word in recording["words"]] == home.kept_words()
        listing = home.history().strip().split("\n")
        assert len(listing) == 5 and all("0:00:0" in line for line in listing[1:]), listing
        assert live.words_of(listing[-1])[3:] == home.kept_words(), listing
        assert re.search(r"^0:00:0\d  \w", home.history("show"), re.M)


def what_is_deleted_is_gone():
    with live.Home() as home:
        for _ in range(3):
            listen(home)
        names = [os.path.basename(path)[: -len(".jsonl")] for path in home.sessions()]
        assert home.history("delete", names[0]) == "deleted 1 session\n"
        assert [name in home.history() for name in names] == [False, True, True]
        for arguments, status, cause in [
            (["show", names[0]], 1, "no session is called so"),
            (["delete", names[1], "nothing"], 1, "nothing"),
            (["delete"], 2, "--all"),
            (["delete", "--all", names[1]], 2, "--all"),
            (["exprot"], 2, "did you mean export?"),
            (["list", names[1]], 2, "utter history show"),
            (["export", names[1], "-o", "/nowhere/x"], 1, "/nowhere"),
        ]:
            got, line = refused(home, *arguments)
            assert got == status and cause in line, line
        assert len(home.sessions()) == 2
        assert home.history("delete", "--older", "1") == "deleted 0 sessions\n"
        with live.Pipe(home, ["--demo"]) as program:
            live.wait_for(lambda: len(home.sessions()) == 3, "the third session")
            assert "live" in home.history()
            assert "end it first" in refused(home, "delete", "last")[1]
            program.kill(9)
            program.wait_end()
        assert home.history("delete", "--all") == "deleted 3 sessions\n"
        assert os.listdir(os.path.join(home.state, "utter", "sessions")) == []
        assert home.history() == "no session is kept\n"
        assert "no session is kept" in refused(home, "show")[1]


def the_configuration_decides_what_is_kept():
    with live.Home() as home:
        folder = os.path.join(home.path, "config", "utter")
        os.makedirs(folder)
        listen(home, "--no-history")
        assert home.sessions() == []
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
            file.write("[listen]\nhistory = no\nhistory_days = 7\n")
        listen(home)
        assert home.sessions() == []
        listen(home, "--history")
        (old,) = home.sessions()
        name = os.path.join(os.path.dirname(old), "2020-01-01_000000.jsonl")
        os.rename(old, name)
        os.utime(name, (0, time.time() - 6 * 24 * 60 * 60))
        listen(home, "--history")
        assert len(home.sessions()) == 2
        os.utime(name, (0, time.time() - 8 * 24 * 60 * 60))
        listen(home, "--history")
        assert len(home.sessions()) == 2 and name not in home.sessions(), "an old session is there"


def transcribed(home, path):
    return live.words_of(subprocess.run([live.PROGRAM, "transcribe", path], env=home.environment,
                                        stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout)


def raw_samples(path):
    """16-bit; of a file that was cut off, those that are there."""
    return subprocess.run(["sox", path, "-t", "s16", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def the_sound_is_kept_only_when_wanted():
    with live.Home() as home:
        folder = os.path.join(home.state, "utter", "sessions")
        listen(home)
        assert not [name for name in os.listdir(folder) if name.endswith(".flac")]
        listen(home, "--record")
        (recording,) = [name for name in os.listdir(folder) if name.endswith(".flac")]
        path = os.path.join(folder, recording)
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert transcribed(home, path) == transcribed(home, live.clip())
        assert "audio" in home.history()
        home.history("delete", "last")
        assert len(os.listdir(folder)) == 1, "the sound is not deleted with its session"
        with live.Pipe(home, ["--demo", "--record"]) as program:
            live.wait_for(lambda: len(live.words_of(program.output())) > 3, "some words")
            program.kill(9)
            program.wait_end()
        (recording,) = [name for name in os.listdir(folder) if name.endswith(".flac")]
        kept, demo = raw_samples(os.path.join(folder, recording)), raw_samples(os.path.join(live.MODEL, "demo.flac"))
        assert len(kept) > 2 * 2 * 16000 and demo.startswith(kept), "not what was heard until the kill"
        with live.Pipe(home, ["--demo", "--record", "--no-history"]) as program:
            assert program.wait_end() == 2 and "--record: needs the history" in program.errors()


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty", "sox")
    live.run(
        nothing_committed_is_missing_after_a_kill,
        exports_are_what_was_written_live,
        what_is_deleted_is_gone,
        the_configuration_decides_what_is_kept,
        the_sound_is_kept_only_when_wanted,
    )
