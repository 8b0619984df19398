"""Where the words and the sounds of every recording are, by PocketSphinx's own English model.

A first pass finds the words, a second the phones inside them. Words that its dictionary lacks are
spelled out by a rough rule, which is enough to find their place; their sounds stay UNKNOWN.
"""

import dataclasses
import json
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder

from corpus import RATE

FRAME = RATE // 100  # samples; PocketSphinx counts in 10 ms
PHONES = ("SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH "
          "UH UW V W Y Z ZH").split()
UNKNOWN = 255
NUMBER = {phone: number for number, phone in enumerate(PHONES)}
ROUGHLY = {  # a letter's usual sound
    **dict(zip("ABCDEFGHIJKLM", "AE B K D EH F G HH IH JH K L M".split())),
    **dict(zip("NOPQRSTUVWXYZ", "N AA P K R S T AH V W K IY Z".split())),
}


class Aligner:
    def __init__(self):
        self.decoder = Decoder(lm=None, loglevel="FATAL")
        self.guessed = set()

    def know(self, text):
        """Gives every word of `text` a pronunciation."""
        for word in text.split():
            if self.decoder.lookup_word(word) is None:
                sounds = [ROUGHLY[letter] for letter in word if letter in ROUGHLY]
                self.decoder.add_word(word, " ".join(sounds or ["AH"]), True)
                self.guessed.add(word)

    def listen(self, audio):
        self.decoder.start_utt()
        self.decoder.process_raw(audio.tobytes(), full_utt=True)
        self.decoder.end_utt()

    def align(self, text, audio):
        """(words [(word, start, stop)], phones uint8 [frames of 10 ms]), or None: it does not fit."""
        text = text.lower()
        try:
            self.know(text)
            self.decoder.set_align_text(text)
            self.listen(audio)
            segments = [(s.word, s.start_frame, s.end_frame + 1) for s in self.decoder.seg() or []
                        if s.word[0] not in "<[("]
        except RuntimeError:  # the search did not reach the end of the text
            return None
        if [word.split("(")[0] for word, _, _ in segments] != text.split():
            return None
        phones = np.full(len(audio) // FRAME, NUMBER["SIL"], np.uint8)
        for name, start, stop in self.sounds(segments, audio):
            phones[start:stop] = NUMBER.get(name, UNKNOWN)
        words = [(word.split("(")[0].upper(), start, stop) for word, start, stop in segments]
        for word, start, stop in words:
            if word.lower() in self.guessed:
                phones[start:stop] = UNKNOWN
        return words, phones

    def sounds(self, segments, audio):
        """[(phone, start, stop)]: by the second pass, else spread evenly over each word."""
        try:
            self.decoder.set_alignment()
            self.listen(audio)
            return [(phone.name, phone.start, phone.start + phone.duration)
                    for phone in self.decoder.get_alignment().phones()]
        except RuntimeError:
            even = []
            for word, start, stop in segments:
                names = self.decoder.lookup_word(word).split()
                edges = np.linspace(start, stop, len(names) + 1).round().astype(int).tolist()
                even += zip(names, edges, edges[1:])
            return even


def aligned(clips, split, work):
    """The clips with their words and sounds, where those were found."""
    return [dataclasses.replace(clip, words=tuple(found[0]), sounds=found[1]) if found else clip
            for clip, found in zip(clips, load(clips, split, work))]


def align_part(clips):
    aligner = Aligner()
    return [aligner.align(text, audio) for text, audio in clips]


def load(clips, split, work, processes=2):
    """For each clip (words, phones) as above, or None; kept in WORK/SPLIT.{words.json,phones.npy}."""
    work = Path(work)
    words, phones = work / f"{split}.words.json", work / f"{split}.phones.npy"
    if not words.exists():
        pairs = [(clip.text, clip.audio) for clip in clips]
        parts = [pairs[at : at + 200] for at in range(0, len(pairs), 200)]
        with ProcessPoolExecutor(processes) as pool:
            found = [one for part in pool.map(align_part, parts) for one in part]
        np.save(phones, np.concatenate([one[1] for one in found if one] or [np.zeros(0, np.uint8)]))
        partial = words.with_suffix(".tmp")
        partial.write_text(json.dumps([one and [one[0], len(one[1])] for one in found]))
        os.replace(partial, words)
    kept = json.loads(words.read_text())
    if len(kept) != len(clips):
        raise SystemExit(f"{words}: made from other clips; delete it and start again")
    sounds, at, result = np.load(phones), 0, []
    for one in kept:
        if one is None:
            result.append(None)
            continue
        result.append((one[0], sounds[at : at + one[1]]))
        at += one[1]
    return result
