#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A FINAL that differs from the words committed before it changes those words on the screen and leaves
all else alone: what is right is not written again, and nothing moves that need not.

The program draws into a terminal of this test's own, which knows for every cell when it was written and
what it was before. Speech under noise makes the recogniser change its mind."""

import codecs
import fcntl
import glob
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import termios
import threading

import live

RATE = 16000
COLUMNS = 40
MOTION = 6  # bytes of the sequence that moves the cursor anywhere
LEVELS = [30, 20, 15, 10, 5]  # decibels of speech over noise


class Emulator:
    """A terminal as ncurses uses it: a grid of (character, look). `writes` has every cell that was
    written: (row, column, before, after). A sequence that is not known is an error."""

    SEQUENCE = re.compile(r"\x1b(?:\[([?>!]?)([0-9;]*)([@-~])|[()].|[=>78M])")

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[(" ", "")] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.region = (0, rows - 1)  # that is scrolled
        self.look = ""
        self.last = " "
        self.writes = []
        self.rest = ""

    def put(self, row, column, cell):
        self.writes.append((row, column, self.cells[row][column], cell))
        self.cells[row][column] = cell

    def erase(self, row, begin, end):
        for column in range(begin, end):
            self.put(row, column, (" ", self.look if "7" in self.look.split(";") else ""))

    def print(self, character):
        self.column = min(self.column, self.columns - 1)
        self.put(self.row, self.column, (character, self.look if character != " " else ""))
        self.column += 1
        self.last = character

    def shift(self, count, inserted):
        """Of the rest of the row: only cells that become others are written."""
        old = self.cells[self.row]
        blank = [(" ", "")] * count
        tail = blank + old[self.column:-count] if inserted else old[self.column + count:] + blank
        for column, cell in enumerate(tail, self.column):
            if cell != old[column]:
                self.put(self.row, column, cell)

    def scroll(self):
        """By a row: cells that become others are written."""
        top, bottom = self.region
        below = [list(line) for line in self.cells[top + 1:bottom + 1]] + [[(" ", "")] * self.columns]
        for row, line in enumerate(below, top):
            for column, cell in enumerate(line):
                if cell != self.cells[row][column]:
                    self.put(row, column, cell)

    def control(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            if self.row == self.region[1]:
                self.scroll()
            else:
                self.row += 1
        elif character == "\b":
            self.column -= 1
        elif character == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)

    def sequence(self, private, numbers, kind):
        values = [int(number) if number else 0 for number in numbers.split(";")]
        count = max(1, values[0])
        moves = {"A": (-count, 0), "B": (count, 0), "C": (0, count), "D": (0, -count)}
        if private or kind in "hlt":
            pass
        elif kind == "r":
            self.region = (values[0] - 1, values[1] - 1) if numbers else (0, self.rows - 1)
            self.row = self.column = 0
        elif kind == "m":
            self.look = "" if values in ([0], []) else self.look + ";" + numbers
        elif kind == "H":
            self.row, self.column = count - 1, max(1, values[1] if len(values) > 1 else 1) - 1
        elif kind in moves:
            self.row, self.column = self.row + moves[kind][0], self.column + moves[kind][1]
        elif kind == "G":
            self.column = count - 1
        elif kind == "d":
            self.row = count - 1
        elif kind == "K":
            begin, end = {0: (self.column, self.columns), 1: (0, self.column + 1), 2: (0, self.columns)}[values[0]]
            self.erase(self.row, begin, end)
        elif kind == "J":
            self.erase(self.row, self.column if values[0] == 0 else 0, self.columns)
            for row in range(self.row + 1 if values[0] == 0 else 0, self.rows):
                self.erase(row, 0, self.columns)
        elif kind == "X":
            self.erase(self.row, self.column, min(self.columns, self.column + count))
        elif kind == "b":
            for _ in range(count):
                self.print(self.last)
        elif kind in "@P":
            self.shift(count, kind == "@")
        else:
            raise AssertionError(f"an unknown control sequence: {numbers}{kind}")

    def shows(self, text):
        return any(text in "".join(cell[0] for cell in row) for row in self.cells)

    def feed(self, text):
        text, at = self.rest + text, 0
        while at < len(text):
            if text[at] == "\x1b":
                match = self.SEQUENCE.match(text, at)
                if not match:
                    assert len(text) - at < 20, f"an unknown control sequence: {text[at:at + 20]!r}"
                    break
                if match[3]:
                    self.sequence(match[1], match[2], match[3])
                at = match.end()
                continue
            if text[at] < " ":
                self.control(text[at])
            else:
                self.print(text[at])
            at += 1
        self.rest = text[at:]


def noisy_speech(path):
    """All clips at all levels of noise, with pauses of the same noise."""
    chance = random.Random(1)
    with open(path, "wb") as file:
        for level in LEVELS:
            for clip in sorted(glob.glob(os.path.join(live.DATA, "*.flac"))):
                raw = ["sox", clip, "-t", "raw", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", "-"]
                data = subprocess.run(raw, stdout=subprocess.PIPE, check=True).stdout
                samples = list(struct.unpack(f"<{len(data) // 2}h", data)) + [0] * (2 * RATE)
                loudness = (sum(sample * sample for sample in samples) / len(samples)) ** 0.5
                noise = loudness * 10 ** (-level / 20)
                mixed = (max(-32768, min(32767, int(sample + chance.gauss(0, noise)))) for sample in samples)
                file.write(struct.pack(f"<{len(samples)}h", *mixed))


def drain(terminal):
    """Reads until the program's end."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


def watch(home, sound, rows):
    """The program with its screen in a terminal of ours; the emulator and the events, at the end."""
    emulator = Emulator(COLUMNS, rows)
    transcript = os.path.join(home.path, f"{rows}.jsonl")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
    program = subprocess.Popen(
        [live.PROGRAM, "--no-history", "--no-mouse", "--input", sound, "--speed", "2", "-o", transcript],
        env=home.environment, stdin=slave, stdout=slave, stderr=subprocess.DEVNULL,
        start_new_session=True)
    os.close(slave)
    text = codecs.getincrementaldecoder("utf-8")()
    while not emulator.shows("the end"):
        emulator.feed(text.decode(os.read(master, 65536)))
    writes = len(emulator.writes)
    reader = threading.Thread(target=drain, args=(master,), daemon=True)
    reader.start()
    program.send_signal(signal.SIGTERM)
    assert program.wait(live.PATIENCE) == 0
    reader.join()
    os.close(master)
    with open(transcript, encoding="utf-8") as file:
        return emulator.writes[:writes], [json.loads(line) for line in file]


def changed_finals(events):
    """[(words of the captions above, words committed, words of the FINAL)] where the latter two differ."""
    committed, above, found = {}, [], []
    for event in events:
        if event["type"] == "commit":
            committed.setdefault(event["utterance"], []).extend(event["text"].split())
        elif event["type"] == "final":
            before, after = committed.get(event["utterance"], []), event["text"].split()
            if before and before != after:
                found.append((above, before, after))
            above = above + after
    return found


class Replay:
    """What was written into the captions' rows, once more."""

    def __init__(self, writes, rows):
        self.area = rows - 2
        self.writes = [write for write in writes if write[0] < self.area]
        self.cells = [[" "] * COLUMNS for _ in range(self.area)]
        self.texts = []  # [(write after which it stood there, words)]
        for number, (row, column, _, cell) in enumerate(self.writes):
            if self.cells[row][column] != cell[0]:
                self.cells[row][column] = cell[0]
                self.texts.append((number, " ".join("".join(line) for line in self.cells).split()))

    def find(self, words, start):
        """The first text from place `start` on that ends with `words`, or all of them that are in sight."""
        for place in range(start, len(self.texts)):
            shown = self.texts[place][1]
            if shown and (shown == words or (len(shown) < len(words) and words[-len(shown):] == shown)):
                return place
        return None

    def check(self, final, start):
        """That only what differs is written when the final comes. Returns the place after it; None when what
        was before it was never seen."""
        above, own_before, own_after = final
        place = self.find(above + own_before, start)
        if place is None:
            return None
        to = self.find(above + own_after, place + 1)
        assert to is not None, f"the final is never seen: {' '.join(own_after)}"
        while (later := self.find(above + own_before, place + 1)) is not None and later < to:
            place = later
        ends = self.texts[to + 1][0] if to + 1 < len(self.texts) else len(self.writes)
        most = max(len(" ".join(words)) for words in (own_before, own_after)) // (COLUMNS - 10) + 1
        self.check_rows(self.writes[self.texts[place][0] + 1:ends], most)
        return to

    def check_rows(self, writes, most):
        """Nothing is written again outside what differs, but for blanks over blanks and a few letters over
        themselves just before it: ncurses moves the cursor so. No more than `most` rows are others."""
        was, is_now = {}, {}
        for row, column, old, new in writes:
            if old != new or old[0] != " ":
                was.setdefault((row, column), old)
                is_now[row, column] = new
        changed_rows = 0
        for row in range(self.area):
            written = [column for line, column in was if line == row]
            changed = [column for column in written if was[row, column] != is_now[row, column]]
            again = [column for column in written if column not in changed]
            near = [column for column in again if changed and min(changed) - MOTION <= column < max(changed)]
            assert again == near, f"row {row} is written again at {again}, and differs at {changed}"
            changed_rows += bool(changed)
        assert changed_rows <= most, f"{changed_rows} rows move for a caption of {most}"


def only_what_differs_is_drawn():
    with live.Home() as home:
        raw, sound = os.path.join(home.path, "sound.raw"), os.path.join(home.path, "sound.wav")
        noisy_speech(raw)
        subprocess.run(["sox", "-r", str(RATE), "-c", "1", "-e", "signed", "-b", "16", raw, sound], check=True)
        for rows in (24, 8):
            writes, events = watch(home, sound, rows)
            finals, replay, place, checked = changed_finals(events), Replay(writes, rows), 0, 0
            for final in finals:
                found = replay.check(final, place)
                if found is not None:
                    place, checked = found, checked + 1
            print(f"   {rows} rows: {checked} of {len(finals)} finals that changed words, {len(replay.writes)} cells")
            assert checked > 0, "no final was seen to change anything"


if __name__ == "__main__":
    live.skip_unless_all_is_here("sox")
    live.run(only_what_differs_is_drawn)
