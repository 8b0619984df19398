#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sound server dies, or hangs, while somebody speaks: the program says so, keeps what it heard,
goes on when the server is back, and can be ended at any moment."""

import signal
import time

import live


def start(home, arguments=("--format", "jsonl")):
    program = live.Pipe(home, list(arguments))
    program.wait_to_listen()
    return program


def hear(microphone, program):
    wanted = live.clip_words()
    live.play_until(microphone, live.clip(), lambda: program.heard(wanted), f"{wanted} in a FINAL")


def captions_go_on_after_the_server_is_back():
    with live.Home() as home, live.Microphone(home) as microphone, start(home) as program:
        hear(microphone, program)
        player = microphone.play_in_background(live.clip())
        commits = len(program.events("commit"))
        live.wait_for(
            lambda: len(program.events("commit")) > commits or player.poll() is not None,
            "the first words of the second time",
        )
        microphone.pull_out()
        begin = time.monotonic()
        live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
        print(f"   the loss was noticed after {time.monotonic() - begin:.2f} s")
        player.wait()
        committed = {event["utterance"] for event in program.events("commit")}
        live.wait_for(
            lambda: committed <= {event["utterance"] for event in program.events("final")},
            "what was heard to be kept",
        )
        before = len(program.events("final"))
        time.sleep(2)
        microphone.plug_in()
        away = time.monotonic() - begin
        live.wait_for(lambda: program.is_back(), "the microphone to be back")
        longest = time.monotonic() - begin
        wanted = live.clip_words()
        live.play_until(
            microphone,
            live.clip(),
            lambda: any(
                live.contains(live.words_of(event["text"]), wanted)
                for event in program.events("final")[before:]
            ),
            f"{wanted} again",
        )
        lost = [event["lost"] for event in program.events("gap")]
        print(f"   {away:.2f} s to {longest:.2f} s without a server: gaps of {lost} s")
        assert any(away - 0.5 < gap < longest + 2.0 for gap in lost), "the gap has another length"
        program.end()


def it_ends_while_the_server_is_gone():
    with live.Home() as home, live.Microphone(home) as microphone, start(home) as program:
        hear(microphone, program)
        microphone.pull_out()
        live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
        program.kill(signal.SIGTERM)
        assert program.wait_end() == 1, "the microphone was lost, and the status does not say so"
        assert program.heard(live.clip_words()), "what was heard is gone"
        assert program.events("gap"), "the time without a microphone is no gap"


def it_ends_while_the_server_hangs():
    for wait_for_word in (False, True):
        with live.Home() as home, live.Microphone(home) as microphone, start(home) as program:
            microphone.freeze(True)
            if wait_for_word:
                begin = time.monotonic()
                live.wait_for(lambda: program.says("is lost"), "a word about the microphone")
                print(f"   the hang was noticed after {time.monotonic() - begin:.2f} s")
                time.sleep(1)  # into a call of PortAudio that never returns
            program.kill(signal.SIGINT)
            program.wait_end()
            microphone.freeze(False)


def the_screen_says_so():
    with live.Home() as home, live.Microphone(home) as microphone:
        with live.Terminal(home, []) as terminal:
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen")
            microphone.pull_out()
            live.wait_for(lambda: terminal.shows("microphone lost"), "a word about the microphone")
            microphone.plug_in()
            live.wait_for(lambda: terminal.shows("listening"), "the program to listen again")
            live.wait_for(lambda: terminal.shows("of audio lost]"), "the gap on the screen")
            terminal.keys("q")
            assert terminal.wait_end() == 0


if __name__ == "__main__":
    live.skip_unless_all_is_here()
    live.run(
        captions_go_on_after_the_server_is_back,
        it_ends_while_the_server_is_gone,
        it_ends_while_the_server_hangs,
        the_screen_says_so,
    )
