"""Cut single words out of sentences: forced alignment with PocketSphinx's own English model.

Four speakers of single digits are few; the sentences hold the same words by hundreds of speakers, and
thousands of others, which are to be told from them.
"""

import dataclasses
import json
import os
from pathlib import Path

from pocketsphinx import Decoder

from corpus import RATE, Clip

FRAME = RATE // 100  # PocketSphinx counts in 10 ms
PADDING = 2 * FRAME
STRANGE = 1200  # recordings, that other words are cut out of
SHORTEST, LONGEST = 0.12, 1.2  # seconds; anything else is a failed alignment


def align(decoder, clip):
    """[(word, first sample, last sample + 1)], empty where the text does not fit the sound."""
    try:
        decoder.set_align_text(clip.text.lower())
        decoder.start_utt()
    except RuntimeError:  # a word that the dictionary lacks
        return []
    decoder.process_raw(clip.audio.tobytes(), full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    spans = []
    for segment in decoder.seg():
        word = segment.word.split("(")[0].upper()
        start = max(0, segment.start_frame * FRAME - PADDING)
        stop = min(clip.samples, (segment.end_frame + 1) * FRAME + PADDING)
        spans.append((word, start, stop))
    return spans


def places(clips, wanted, work, name="words"):
    """For each clip its words that are `wanted` [(word, first sample, last + 1)]; kept in WORK/NAME.json."""
    cache = Path(work) / f"{name}.json"
    if not cache.exists():
        decoder = Decoder(lm=None, loglevel="FATAL")
        found = []
        for number, clip in enumerate(clips):
            if not any(wanted(word) for word in clip.text.split()):
                continue
            for word, start, stop in align(decoder, clip):
                if wanted(word) and SHORTEST <= (stop - start) / RATE <= LONGEST:
                    found.append([number, word, start, stop])
        partial = cache.with_suffix(".tmp")
        partial.write_text(json.dumps(found))
        os.replace(partial, cache)
    known = [[] for _ in clips]
    for number, word, start, stop in json.loads(cache.read_text()):
        known[number].append((word, start, stop))
    return known


def strangers(clips, kept, work, name):
    """One Clip for each word of some clips without any kept one that does not sound like one either."""
    clips = [clip for clip in clips if not kept.printed(clip.text) and kept.is_sure(clip.text)][:STRANGE]
    return words(clips, places(clips, str.isalpha, work, name))


def words(clips, known):
    """One Clip for each word of `places`."""
    return [Clip(clip.source, clip.speaker, word, clip.audio[start:stop])
            for clip, found in zip(clips, known) for word, start, stop in found]


def with_places(clip, found):
    """The clip with its words' places, where all of them were found."""
    if [word for word, _, _ in found] != clip.text.split():
        return clip
    return dataclasses.replace(clip, words=tuple((word, start // FRAME, stop // FRAME)
                                                 for word, start, stop in found))
