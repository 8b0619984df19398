#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Digits that were spoken by a human, played into a microphone, appear as captions: on the screen,
and in a pipe."""

import os
import signal

import live


def captions_appear_on_the_screen():
    wanted = live.clip_words()
    with live.Home() as home, live.Microphone(home) as microphone:
        with live.Terminal(home, [], columns=72, rows=20) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")

            def heard():
                return live.contains(live.words_of(terminal.screen()), wanted) and live.contains(
                    home.kept_words(), wanted
                )

            live.play_until(
                microphone, live.clip(), heard, f"{wanted} on the screen and in the transcript"
            )
            assert terminal.shows("default"), "the status line does not name the microphone"
            terminal.keys("q")
            assert terminal.wait_end() == 0
            (session,) = home.sessions()
            name = os.path.basename(session).replace(".jsonl", "")
            shown = terminal.screen().replace("\n", "")
            assert shown.count(f"utter history show {name}") == 1, "nobody said where"
            assert live.contains(home.kept_words(), wanted), "not in the history"


def captions_come_out_of_a_pipe():
    wanted = live.clip_words()
    with live.Home() as home, live.Microphone(home) as microphone:
        with live.Pipe(home, ["--format", "jsonl"]) as program:
            program.wait_to_listen()
            live.play_until(
                microphone, live.clip(), lambda: program.heard(wanted), f"{wanted} in a FINAL"
            )
            program.kill(signal.SIGTERM)
            assert program.wait_end() == 0
            finals = {event["utterance"]: i for i, event in enumerate(program.events())
                      if event["type"] == "final"}
            for i, event in enumerate(program.events("commit")):
                assert event["utterance"] in finals, "an utterance without its FINAL"
            assert not program.events("draft"), "drafts that nobody asked for"
            assert live.contains(home.kept_words(), wanted), "what a pipe got is not in the history"


if __name__ == "__main__":
    live.skip_unless_all_is_here()
    live.run(captions_appear_on_the_screen, captions_come_out_of_a_pipe)
