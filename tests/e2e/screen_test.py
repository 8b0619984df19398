#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The screen as its reader has it: golden parts at several sizes, what every key does, the mouse,
and no control sequences for those who want none. The sound comes from a file."""

import os
import re

import live

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "screens")


def start(home, *arguments, **options):
    terminal = live.Terminal(home, ["--input", live.clip(), "--speed", "2", *arguments], **options)
    live.wait_for(lambda: terminal.shows("quit"), "the screen")
    return terminal


def at_the_end(home, *arguments, **options):
    terminal = start(home, *arguments, **options)
    live.wait_for(lambda: terminal.shows("the end"), "the end of the file")
    return terminal


def finish(terminal):
    terminal.keys("q")
    assert terminal.wait_end() == 0


def rows(terminal):
    return terminal.screen().split("\n")


def captions(terminal):
    return terminal.screen().split("●")[0]


def golden(name, screen):
    """What is the same in every run: the file's lines, but for trailing spaces."""
    with open(os.path.join(GOLDEN, name + ".txt"), encoding="utf-8") as file:
        wanted = file.read().rstrip("\n")
    shown = "\n".join(line.rstrip() for line in screen).rstrip("\n")
    assert shown == wanted, f"{name} should be\n{wanted}\nand is\n{shown}"


def sizes_have_their_screens():
    """Captions above, the status line and help below them, at any size; the keys in front."""
    for columns, lines in [(20, 5), (40, 12), (80, 24), (120, 40), (400, 120)]:
        with live.Home() as home, at_the_end(home, columns=columns, rows=lines) as terminal:
            shown = rows(terminal)
            words = live.words_of(captions(terminal))
            assert live.contains(words, live.clip_words()), f"{columns}×{lines}: {words}"
            assert [i for i, line in enumerate(shown) if "● the end" in line] == [lines - 2], shown
            golden(f"help-{columns}", [shown[lines - 1]])
            terminal.keys("?")
            live.wait_for(lambda: "┌ keys" in terminal.screen(), "the keys")
            if (columns, lines) in [(80, 24), (120, 40)]:
                box = [re.search("[│┌└].*[│┐┘]", line) for line in rows(terminal)]
                golden(f"keys-{columns}x{lines}", [line.group() for line in box if line])
            terminal.keys("Escape")
            live.wait_for(lambda: "┌ keys" not in terminal.screen(), "the captions again")
            finish(terminal)


def looks_can_be_changed():
    with live.Home() as home, at_the_end(home) as terminal:
        plain = captions(terminal)
        terminal.keys("t")
        live.wait_for(lambda: re.search(r"^ 0:00:0\d \w", terminal.screen()), "times")
        terminal.keys("t", "l")
        live.wait_for(lambda: "█" in captions(terminal), "large letters")
        terminal.keys("l")
        live.wait_for(lambda: captions(terminal) == plain, "letters as before")
        terminal.keys("c")
        live.wait_for(lambda: terminal.shows("theme: contrast"), "the next theme")
        styled = terminal.tmux("capture-pane", "-pe")
        assert "\033[1m" in styled.split("●")[0], "firm words are not bold"
        terminal.keys("-", "-")
        live.wait_for(lambda: captions(terminal) != plain, "fewer lines, at the bottom")
        terminal.keys("x")
        live.wait_for(lambda: not captions(terminal).strip(), "an empty screen")
        terminal.keys("Home")
        live.wait_for(lambda: captions(terminal).strip(), "the captions above it")
        finish(terminal)


def words_are_found_marked_and_copied():
    with live.Home() as home, at_the_end(home) as terminal:
        terminal.tmux("set-option", "-s", "set-clipboard", "on")
        word = live.words_of(captions(terminal))[0]
        terminal.keys("/", *word.lower())
        live.wait_for(lambda: terminal.shows("/" + word.lower()), "the search")
        styled = lambda: terminal.tmux("capture-pane", "-pe")
        live.wait_for(lambda: re.search(r"\033\[[0-9;]*7m" + word, styled()), "a match that stands out")
        terminal.keys("Enter", "Escape", "m")
        live.wait_for(lambda: "»" in captions(terminal), "a mark")
        terminal.keys("'", "y")
        live.wait_for(lambda: terminal.shows("is copied"), "a word about the copy")
        copied = live.wait_for(lambda: terminal.tmux("list-buffers") and terminal.tmux("show-buffer"), "the copy")
        assert word in live.words_of(copied), copied
        terminal.keys("[")
        live.wait_for(lambda: re.search(r"\033\[[0-9;]*7m", styled().split("●")[0]), "a selection")
        terminal.keys("/", "~", "~", "Enter")
        live.wait_for(lambda: terminal.shows("nothing of that"), "a search in vain")
        finish(terminal)


def sound_can_be_muted_and_saved():
    with live.Home() as home, start(home) as terminal:
        terminal.keys("u")
        live.wait_for(lambda: terminal.shows("● muted") and terminal.shows("[muted]"), "silence")
        terminal.keys("u")
        live.wait_for(lambda: terminal.shows("[not muted any more]"), "sound")
        terminal.keys("s")
        live.wait_for(lambda: terminal.shows("all of it is written"), "a word about the disk")
        finish(terminal)


def the_mouse_scrolls_and_selects():
    with live.Home() as home, at_the_end(home, "--large", columns=60, rows=6) as terminal:
        newest = terminal.screen()
        # As terminals of this kind say it: ESC [ M, then button, column and row, each plus 32.
        wheel = lambda up: terminal.keys("-l", "\033[M" + ("`" if up else "a") + "#!")
        wheel(True)
        live.wait_for(lambda: terminal.screen() != newest, "older captions")
        for _ in range(5):
            wheel(False)
        live.wait_for(lambda: terminal.screen() == newest, "the newest captions")
        terminal.keys("-l", "\033[M #!")
        live.wait_for(lambda: "▌" in terminal.screen(), "a selection")
        terminal.keys("-l", "\033[M##!")
        finish(terminal)


def keys_are_the_users():
    with live.Home() as home:
        path = os.path.join(home.path, "config", "utter")
        os.makedirs(path)
        with open(os.path.join(path, "config"), "w", encoding="ascii") as file:
            file.write("[keys]\nquit = z, ctrl-q\nhelp = f5\n")
        with start(home) as terminal:
            terminal.keys("q", "?")
            terminal.keys("F5")
            live.wait_for(lambda: "z ctrl-q" in terminal.screen(), "the keys as they are now")
            terminal.keys("Escape", "z")
            assert terminal.wait_end() == 0
        with open(os.path.join(path, "config"), "w", encoding="ascii") as file:
            file.write("[keys]\nquit = hyper-q\n")
        with live.Pipe(home, ["--input", live.clip()]) as program:
            assert program.wait_end() == 2
            assert "config:2: " in program.errors() and "hyper-q" in program.errors(), program.errors()


def a_poor_model_says_so():
    """Always on the screen, and once where there is none."""
    with live.Home() as home:
        model, wrong = home.poor_model(61.4), "experimental: about 61 of 100 words wrong"
        with at_the_end(home, "--model", model, columns=100) as terminal:
            assert terminal.shows(wrong), terminal.screen()
            finish(terminal)
        with live.Pipe(home, ["--input", live.clip(), "--model", model]) as program:
            assert program.wait_end() == 0
            assert f"poor is {wrong}" in program.errors(), program.errors()
    with live.Home() as home, at_the_end(home, columns=100) as terminal:
        assert not terminal.shows("experimental")
        finish(terminal)


def no_colour_and_no_control_sequences():
    with live.Home() as home:
        home.environment["NO_COLOR"] = "1"
        with at_the_end(home) as terminal:
            styled = terminal.tmux("capture-pane", "-pe")
            assert not re.search(r"\033\[([0-9;]*;)?(3[0-7]|9[0-7]|[34]8)[;m]", styled), repr(styled)
            finish(terminal)
    with live.Home() as home:
        arguments = ["--input", live.clip(), "--speed", "2", "--plain"]
        with live.Terminal(home, arguments) as terminal:
            terminal.tmux("pipe-pane", "-O", f"cat > {terminal.file('raw')}")
            terminal.wait_end()
            assert live.contains(live.words_of(terminal.screen()), live.clip_words())
            assert "\033" not in terminal.read("raw"), "control sequences in spite of --plain"


if __name__ == "__main__":
    live.skip_unless_all_is_here("tmux", "stty")
    live.run(
        sizes_have_their_screens,
        looks_can_be_changed,
        words_are_found_marked_and_copied,
        sound_can_be_muted_and_saved,
        the_mouse_scrolls_and_selects,
        keys_are_the_users,
        a_poor_model_says_so,
        no_colour_and_no_control_sequences,
    )
