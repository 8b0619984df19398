#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The terminal: as it was on every way out, whole at every size, and what the keys do. The sound
comes from a file at the speed of a microphone."""

import os
import signal
import subprocess
import time

import live


def start(home, arguments=None, **options):
    terminal = live.Terminal(home, arguments or ["--input", live.clip()], **options)
    live.wait_for(lambda: terminal.shows("q quit"), "the screen")
    return terminal


def every_way_out_restores_the_terminal():
    ends = [
        (lambda terminal: terminal.keys("q"), 0),
        (lambda terminal: terminal.keys("C-c"), 0),
        (lambda terminal: terminal.kill(signal.SIGINT), 0),
        (lambda terminal: terminal.kill(signal.SIGTERM), 0),
        (lambda terminal: terminal.kill(signal.SIGHUP), 0),
        (lambda terminal: terminal.kill(signal.SIGQUIT), 0),
        (lambda terminal: terminal.kill(signal.SIGABRT), 128 + signal.SIGABRT),
        (lambda terminal: terminal.kill(signal.SIGSEGV), None),  # sanitizers have their own status
    ]
    for end, status in ends:
        with live.Home() as home, start(home) as terminal:
            end(terminal)
            ended = terminal.wait_end()
            assert status is None or ended == status, f"status {ended}, not {status}"


def the_end_says_where_the_transcript_is():
    wanted = live.clip_words()
    with live.Home() as home, start(home) as terminal:
        live.wait_for(lambda: terminal.shows("the end"), "the end of the file")
        assert live.contains(live.words_of(terminal.screen()), wanted), "words are missing"
        terminal.keys("q")
        assert terminal.wait_end() == 0
        (session,) = home.sessions()
        name = os.path.basename(session).replace(".jsonl", "")
        assert f"utter history show {name}" in terminal.screen().replace("\n", ""), "nobody said where"
        assert os.stat(session).st_mode & 0o777 == 0o600
        assert os.stat(os.path.dirname(session)).st_mode & 0o777 == 0o700
        assert live.contains(home.kept_words(), wanted)


def committed_words_survive_a_kill():
    with live.Home() as home, start(home) as terminal:
        live.wait_for(home.kept_words, "the first committed words")
        terminal.kill(signal.SIGKILL)
        assert home.kept_words(), "a session without words"


def any_size_will_do():
    with live.Home() as home, start(home, columns=80, rows=24) as terminal:
        live.wait_for(lambda: live.words_of(terminal.screen().split("●")[0]), "the first words")
        for columns, rows in [(20, 5), (200, 60), (10, 2), (1, 1), (33, 3), (80, 24)] * 3:
            terminal.resize(columns, rows)
        live.wait_for(lambda: terminal.shows("q quit"), "the screen after a storm")
        for columns, rows in [(20, 5), (100, 30), (40, 12)]:
            terminal.resize(columns, rows)
            live.wait_for(
                lambda: [line for line in terminal.screen().split("\n") if "●" in line]
                == [terminal.screen().split("\n")[rows - 2]]
                and "q quit" in terminal.screen().split("\n")[rows - 1],
                f"status and help at the bottom of {columns}×{rows}",
            )
        live.wait_for(lambda: terminal.shows("the end"), "the end of the file")
        words = live.words_of(terminal.screen().split("●")[0])
        assert live.contains(words, live.clip_words()), f"words are damaged: {words}"
        terminal.keys("q")
        assert terminal.wait_end() == 0


def keys_do_what_they_say():
    with live.Home() as home, start(home, ["--demo"], columns=24, rows=5) as terminal:
        terminal.keys("Space")
        live.wait_for(lambda: terminal.shows("paused"), "a pause")
        time.sleep(1)
        terminal.keys("Space")
        live.wait_for(lambda: not terminal.shows("paused"), "the pause's end")
        live.wait_for(lambda: terminal.shows("the end"), "the end of the file")
        newest = terminal.screen()
        terminal.keys("PPage")
        live.wait_for(lambda: terminal.shows("below"), "older captions")
        older = terminal.screen()
        assert older != newest
        terminal.keys("End")
        live.wait_for(lambda: terminal.screen() == newest, "the newest captions")
        terminal.keys("Home", "Down")
        live.wait_for(lambda: terminal.shows("below"), "the oldest captions")
        terminal.keys("q")
        assert terminal.wait_end() == 0


def keys_do_so_while_the_processors_are_busy():
    """How soon, tests/e2e/reaction measures."""
    others = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * os.cpu_count())]
    try:
        with live.Home() as home, start(home, ["--demo", "--speed", "3"]) as terminal:
            live.wait_for(lambda: live.words_of(terminal.screen().split("●")[0]), "the first words")
            terminal.keys("?")
            live.wait_for(lambda: terminal.shows("┌ keys"), "the keys")
            terminal.keys("?")
            live.wait_for(lambda: not terminal.shows("┌ keys"), "the captions again")
            terminal.keys("/", "~")
            live.wait_for(lambda: terminal.shows("/~"), "a letter that was typed")
            terminal.keys("Enter", "q")
            assert terminal.wait_end() == 0
    finally:
        for other in others:
            other.kill()
            other.wait()


def it_can_be_stopped_and_goes_on():
    with live.Home() as home, start(home) as terminal:
        terminal.kill(signal.SIGTSTP)
        live.wait_for(lambda: not terminal.shows("q quit"), "the shell's screen")
        live.wait_for(
            lambda: open(f"/proc/{terminal.pid}/stat").read().split(") ")[1][0] == "T", "the stop"
        )
        terminal.kill(signal.SIGCONT)
        live.wait_for(lambda: terminal.shows("the end"), "the end of the file")
        words = live.words_of(terminal.screen().split("●")[0])
        assert live.clip_words()[-1] in words, f"the words after the stop are missing: {words}"
        terminal.keys("q")
        assert terminal.wait_end() == 0


def a_closed_terminal_ends_it():
    with live.Home() as home, start(home) as terminal:
        live.wait_for(home.kept_words, "the first committed words")
        terminal.tmux("kill-session")
        live.wait_for(lambda: not os.path.exists(f"/proc/{terminal.pid}"), "the program's end")
        assert home.kept_words()


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty")
    live.run(
        every_way_out_restores_the_terminal,
        the_end_says_where_the_transcript_is,
        committed_words_survive_a_kill,
        any_size_will_do,
        keys_do_what_they_say,
        keys_do_so_while_the_processors_are_busy,
        it_can_be_stopped_and_goes_on,
        a_closed_terminal_ends_it,
    )
