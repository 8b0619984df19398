"""What watches a training: recordings of train.tsv that are not learnt from, heard in every way."""

import functools
from dataclasses import dataclass, field

import numpy as np

import augment
import corpus
import score

JOINED = 20  # recordings in a long row
TOUCHING = 15  # disguised words in a row without pauses
ROUNDS = 4  # of all of them, each time disguised anew
LONELY_ROUNDS = 2


@dataclass
class Heard:
    """Errors on kept words in recordings with each kind of silence around them and in long rows (letters:
    the recordings alone); on disguised single words that touch, and on such words with seconds of a room
    around each; words printed for sentences without any, and for other single words so alone."""

    words: score.Errors = field(default_factory=score.Errors)
    letters: score.Errors = field(default_factory=score.Errors)
    touching: score.Errors = field(default_factory=score.Errors)
    lonely: score.Errors = field(default_factory=score.Errors)
    invented: int = 0
    others: int = 0
    taken: int = 0
    strangers: int = 0

    @property
    def figure(self):
        """The less the better."""
        return (self.words.rate + self.letters.rate + self.touching.rate + self.lonely.rate
                + self.invented / max(1, self.others) + self.taken / max(1, self.strangers))

    def __str__(self):
        touching = f"; touching {self.touching}; lonely {self.lonely}" if self.touching.words else ""
        others = f"; {self.invented} words printed for {self.others} others" if self.others else ""
        others += f", {self.taken} for {self.strangers} alone" if self.strangers else ""
        return f"{self.words}; {100 * self.letters.rate:.1f} % of letters{touching}{others}"


class Validation:
    """`clips`: whole recordings; `singles`: one kept word a clip, none where all words are printed;
    `strangers`: one word a clip that is not to be printed."""

    def __init__(self, clips, singles, words, strangers=()):
        self.kept = [clip for clip in clips if words.only_kept(clip.text)]
        self.silences = augment.SILENCES if words.keep else augment.SILENCES[:1]
        self.pauses = (0.0, 1.0) if words.keep else ()
        self.others = [clip for clip in clips if not words.only_kept(clip.text)
                       and words.is_sure(clip.text) and not words.printed(clip.text)]
        self.rows = list(touching(singles))
        self.lonely = list(lonely(singles * LONELY_ROUNDS))
        self.strangers = list(lonely(strangers))

    def hear(self, model, alphabet, normalise):
        said, heard = Heard(), functools.partial(
            score.transcribe, model, alphabet=alphabet, normalise=normalise)
        for audio, text in self.rows:
            said.touching += score.compare(text.split(), heard(audio).split())
        for audio, text in self.lonely:
            said.lonely += score.compare(text.split(), heard(audio).split())
        for pause in self.pauses:
            for audio, text in joined(self.kept, pause):
                said.words += score.compare(text.split(), heard(audio).split())
        for clip in self.kept:
            for silence in self.silences:
                text = heard(augment.in_silence(clip.audio, silence))
                said.words += score.compare(clip.text.split(), text.split())
                said.letters += score.compare(list(clip.text), list(text))
        for clip in self.others:
            said.invented += len(heard(clip.audio).split())
            said.others += len(clip.text.split())
        for audio, _ in self.strangers:
            said.taken += len(heard(audio).split())
            said.strangers += 1
        return said


def joined(clips, pause):
    """(samples, text) of JOINED recordings at a time, with a pause of so many seconds after each."""
    for first in range(0, len(clips), JOINED):
        some = clips[first : first + JOINED]
        audio = [np.pad(clip.audio, (0, int(pause * corpus.RATE))) for clip in some]
        yield np.concatenate(audio), " ".join(clip.text for clip in some)


def touching(singles):
    """(samples, text) of rows of single words without pauses, each in a disguise of its own: the voices
    of some of them are known from training, and in disguise they are not. Half are narrowed to 4 kHz."""
    rng = np.random.default_rng(7)
    for _ in range(ROUNDS):
        order = rng.permutation(len(singles))
        for first in range(0, len(order), TOUCHING):
            some = [singles[i] for i in order[first : first + TOUCHING]]
            audio = np.concatenate([
                augment.Disguise(rng).put_on(rng, clip.audio.astype(np.float32) / 32768.0)
                for clip in some])
            if rng.random() < 0.5:
                audio = augment.narrowed(audio)
            yield 0.5 * audio / np.abs(audio).max(), " ".join(clip.text for clip in some)


def lonely(singles):
    """(samples, text) of single words, each in a disguise of its own, with half a second to two of its
    own room's murmur, of a hiss or of nothing before and after. Half are narrowed to 4 kHz."""
    rng = np.random.default_rng(8)
    for clip in singles:
        word = augment.Disguise(rng).put_on(rng, clip.audio.astype(np.float32) / 32768.0)
        if rng.random() < 0.5:
            word = augment.narrowed(word)
        before, after = (int(rng.uniform(0.5, 2.0) * corpus.RATE) for _ in range(2))
        clean = np.pad(word, (before, after))
        audio = augment.other_silence(rng, clean, clean)
        yield 0.5 * audio / np.abs(audio).max(), clip.text
