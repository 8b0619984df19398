# SPDX-License-Identifier: MIT
"""What the tests of live captions share: a microphone without a sound card, a terminal without a
person, and patience.

The environment says where things are: UTTER (the program), UTTER_MODEL (the model), UTTER_DATA (the
folder of the recordings). Every test has directories, a sound server and a terminal of its own, and
takes them down. Nothing here fails because a machine is slow: conditions are awaited for
PATIENCE seconds, many times what they take.
"""

import difflib
import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE = 300
PROGRAM = os.environ["UTTER"]
DATA = os.environ["UTTER_DATA"]
MODEL = os.environ["UTTER_MODEL"]
NEEDED = ["pulseaudio", "pactl", "paplay", "tmux", "stty"]


def words_of(text):
    return text.upper().split()


def skip_unless_all_is_here(*programs):
    missing = [name for name in programs or NEEDED if shutil.which(name) is None]
    if not os.path.exists(os.path.join(MODEL, "config.json")):
        missing.append(MODEL)
    if missing:
        print("skipped: not here:", ", ".join(missing))
        sys.exit(77)


@functools.cache
def choose_clip():
    """A recording of human speech, the words in it, and whether the model hears exactly these: if
    there is such a recording, it is taken. These tests are about the way from the microphone to the
    screen, not about the model."""
    heard = {}
    for name in sorted(os.listdir(DATA)):
        if name.endswith(".flac"):
            path = os.path.join(DATA, name)
            with open(path.replace(".flac", ".txt"), encoding="utf-8") as file:
                spoken = words_of(file.read())
            heard[path] = words_of(
                subprocess.run(
                    [PROGRAM, "transcribe", path], stdout=subprocess.PIPE, check=True, encoding="utf-8"
                ).stdout
            )
            if heard[path] == spoken:
                return path, spoken, True
    path = max(heard, key=lambda path: len(heard[path]))
    assert heard[path], "the model hears nothing at all"
    print(f"   the model is weak: its own words are awaited: {heard[path]}")
    return path, heard[path], False


def clip():
    return choose_clip()[0]


def clip_words():
    return choose_clip()[1]


def wait_for(condition, what, patience=PATIENCE):
    """Until `condition` returns something true, which is returned."""
    end = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {patience} s for {what}")
        time.sleep(0.05)


def contains(words, wanted):
    """Whether `wanted` is a run of `words`; nearly so, when they are but a weak model's words, which
    another resampling or another cut may change."""
    if choose_clip()[2]:
        return any(words[i : i + len(wanted)] == wanted for i in range(len(words)))
    runs = [words[i : i + n] for n in range(1, len(wanted) + 3) for i in range(len(words))]
    target = " ".join(wanted)
    return any(
        difflib.SequenceMatcher(None, " ".join(run), target, False).ratio() > 0.7 for run in runs
    )


class Home:
    """Directories of our own: nothing of the user's is seen or touched."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="utter-")
        self.runtime = os.path.join(self.path, "run")
        os.mkdir(self.runtime, 0o700)
        self.state = os.path.join(self.path, "state")
        with open(os.path.join(self.path, ".asoundrc"), "w", encoding="ascii") as file:
            file.write("pcm.!default pulse\nctl.!default pulse\n")
        drop = ("TMUX", "TMUX_PANE", "NO_COLOR", "PULSE_SERVER", "DBUS_SESSION_BUS_ADDRESS")
        self.environment = {k: v for k, v in os.environ.items() if k not in drop}
        self.environment.update(
            HOME=self.path,
            XDG_RUNTIME_DIR=self.runtime,
            XDG_STATE_HOME=self.state,
            XDG_CONFIG_HOME=os.path.join(self.path, "config"),
            TMUX_TMPDIR=self.runtime,
            LC_ALL="C.UTF-8",
            TERM="xterm-256color",
        )

    def poor_model(self, wrong):
        """The model once more, of which its utter.json says that so many of 100 words are wrong."""
        folder = os.path.join(self.path, "poor")
        shutil.copytree(MODEL, folder)
        with open(os.path.join(folder, "utter.json"), "w", encoding="ascii") as file:
            json.dump({"word_error_rate": wrong}, file)
        return folder

    def sessions(self):
        """The files of the history."""
        folder = os.path.join(self.state, "utter", "sessions")
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [os.path.join(folder, name) for name in names if name.endswith(".jsonl")]

    def history(self, *arguments):
        """`utter history`, which must succeed; its output."""
        return subprocess.run(
            [PROGRAM, "history", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        ).stdout

    def kept_words(self):
        """The words of the last session of the history."""
        return words_of(self.history("export", "--format", "text")) if self.sessions() else []

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            log = os.path.join(self.state, "utter", "log")
            if os.path.exists(log):
                with open(log, encoding="utf-8", errors="replace") as file:
                    print("--- the program's log ends:", *file.readlines()[-20:], sep="\n")
        shutil.rmtree(self.path, ignore_errors=True)


class Microphone:
    """A sound server whose default input is what is played into it."""

    def __init__(self, home):
        self.home = home
        self.server = None

    def modules(self):
        """Of the server; one of them makes the source "mic.monitor"."""
        return ["module-null-sink sink_name=mic"]

    def plug_in(self):
        loads = [word for module in self.modules() for word in ("-L", module)]
        self.server = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"]
            + [*loads, "-L", "module-native-protocol-unix"],
            env=self.home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: self.call("pactl", "set-default-source", "mic.monitor"), "the sound server")

    def pull_out(self):
        """The server dies without a word to anybody."""
        self.server.kill()
        self.server.wait()
        self.server = None

    def freeze(self, frozen):
        os.kill(self.server.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def call(self, *command):
        return (
            subprocess.run(
                command,
                env=self.home.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ).returncode
            == 0
        )

    def play(self, path, sink="mic"):
        assert self.call("paplay", "-d", sink, path), f"paplay does not play {path}"

    def play_in_background(self, path):
        return subprocess.Popen(
            ["paplay", "-d", "mic", path],
            env=self.home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self):
        self.plug_in()
        return self

    def __exit__(self, *failure):
        if self.server is not None:
            self.server.kill()
            self.server.wait()


class Terminal:
    """A terminal with the program in it, and files that say what became of it."""

    def __init__(self, home, arguments, columns=80, rows=24, term="tmux-256color"):
        self.home = home
        self.file = lambda name: os.path.join(home.path, name)
        command = " ".join(shlex.quote(word) for word in [PROGRAM, *arguments])
        with open(self.file("script"), "w", encoding="utf-8") as script:
            script.write(
                "trap : INT QUIT\n"  # the keyboard's signals reach this shell, too
                f"stty -g > before; export TERM={term}\n"
                f"sh -c 'echo $$ > pid; exec \"$@\"' sh {command}\n"
                "echo $? > status; stty -g > after; mv after settings; echo ended\n"
                "sleep 100000\n"
            )
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"cd {shlex.quote(home.path)} && exec sh script")
        self.pid = int(wait_for(lambda: self.read("pid").strip(), "the program's start"))

    def tmux(self, *arguments):
        return subprocess.run(
            ["tmux", "-L", "utter", "-f", "/dev/null", *arguments],
            env=self.home.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=True,
            encoding="utf-8",
        ).stdout

    def read(self, name):
        try:
            with open(self.file(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def shows(self, text):
        return text in self.screen()

    def keys(self, *names):
        self.tmux("send-keys", *names)

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def kill(self, number):
        os.kill(self.pid, number)

    def wait_end(self):
        """Returns the exit status; the terminal must be as it was."""
        wait_for(lambda: self.read("settings"), "the program's end")
        before, after = self.read("before"), self.read("settings")
        assert before == after, f"the terminal's settings were {before} and are {after}"
        wait_for(lambda: self.shows("ended"), "the shell's screen")
        assert "quit" not in self.screen(), "the program's screen is still there"
        return int(self.read("status"))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            try:
                print("--- the screen:", self.screen(), "---", sep="\n")
            except subprocess.CalledProcessError:
                print("--- there is no screen")
        for take_down in (lambda: os.kill(self.pid, signal.SIGKILL), lambda: self.tmux("kill-server")):
            try:
                take_down()
            except (ProcessLookupError, subprocess.CalledProcessError):
                pass  # it is gone already


class Pipe:
    """The program with its output in files, read while it runs."""

    def __init__(self, home, arguments):
        self.paths = [os.path.join(home.path, name) for name in ("stdout", "stderr")]
        with open(self.paths[0], "w") as out, open(self.paths[1], "w") as errors:
            self.process = subprocess.Popen(
                [PROGRAM, *arguments],
                env=home.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )

    def output(self):
        with open(self.paths[0], encoding="utf-8") as file:
            return file.read()

    def errors(self):
        with open(self.paths[1], encoding="utf-8") as file:
            return file.read()

    def events(self, kind=None):
        lines = self.output().split("\n")[:-1]
        events = [json.loads(line) for line in lines]
        return [event for event in events if kind in (None, event["type"])]

    def says(self, text, times=1):
        assert self.process.poll() is None, f"it ended: {self.errors()}"
        return self.errors().count(text) >= times

    def is_back(self, times=1):
        """Whether it said so often that its microphone is back. That it is lost ends alike."""
        told = [line for line in self.errors().split("\n") if line.endswith(" is back") and " is lost" not in line]
        return len(told) >= times

    def wait_to_listen(self, inputs=1):
        wait_for(lambda: self.says("listening to", inputs), "the program to listen")

    def heard(self, wanted, kind="final"):
        return any(contains(words_of(event["text"]), wanted) for event in self.events(kind))

    def kill(self, number):
        self.process.send_signal(number)

    def wait_end(self):
        return self.process.wait(PATIENCE)

    def end(self, status=0):
        """As Ctrl-C does: what was heard is decoded first."""
        self.kill(signal.SIGINT)
        assert self.wait_end() == status, self.errors()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if failure[0] is not None:
            print("--- it said:", self.errors(), "--- and printed:", self.output()[-4000:], sep="\n")
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def capture_processes(pid):
    """{device: process id} of the processes that record for the program."""
    found = {}
    for child in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{child}/stat", encoding="utf-8", errors="replace") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{child}/cmdline", encoding="utf-8", errors="replace") as file:
                words = file.read().split("\0")
        except OSError:
            continue  # it has ended since, or is another user's
        if parent == pid and words[1:2] == ["capture"]:
            found[words[2]] = int(child)
    return found


def play_until(microphone, path, heard, what, sink="mic"):
    """Plays the recording until it is understood: a starved sound server may drop a part of it."""
    for _ in range(4):
        microphone.play(path, sink)
        try:
            return wait_for(heard, what, PATIENCE / 10)
        except AssertionError:
            continue
    return wait_for(heard, what)


def run(*tests):
    for test in tests:
        begin = time.monotonic()
        test()
        print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
