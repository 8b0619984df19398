"""Whole words and their pieces as labels, where they are taught to be, the silence around them, and what is said of
a model: needs torch."""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np

import augment
import export
import labels
import network
import recipe
import validation
from corpus import Clip
from mixture import Mixture, Voices
from recipe import Words

RECIPES = Path(__file__).parent / "recipes"
TIMING = (480, 320)  # samples that a frame hears, samples from frame to frame


class Labels(unittest.TestCase):
    def setUp(self):
        self.words = labels.of({"words": {"keep": ["TWO", "OH"], "whole": True}})

    def test_a_word_is_one_label_and_a_delimiter(self):
        self.assertEqual(self.words.tokens[5:], ["TWO", "OH"])
        self.assertEqual(self.words.spell(["OH", "TWO"]), [6, 4, 5, 4])
        self.assertEqual(self.words.read([0, 6, 6, 4, 0, 5, 0, 4, 4]), "OH TWO")

    def test_letters_where_words_are_not_kept_whole(self):
        self.assertIs(labels.of({"words": {"keep": ["TWO"]}}), labels.LETTERS)
        self.assertEqual(labels.LETTERS.read(labels.LETTERS.spell(["A", "TOO"])), "A TO")

    def test_pieces_are_joined_in_the_order_in_which_they_were_learnt(self):
        pieces = labels.of({"words": {"pieces": ["HE", "TH", "THE", "ER"]}})
        spelled = lambda *words: [pieces.tokens[label] for label in pieces.spell(words)]
        self.assertEqual(spelled("THE", "HE", "HERE"), ["THE", "|", "HE", "|", "HE", "R", "E", "|"])
        self.assertEqual(spelled("THERE"), ["THE", "R", "E", "|"])  # HE was learnt before ER
        self.assertEqual(spelled("TERE"), ["T", "ER", "E", "|"])
        self.assertEqual(pieces.read(pieces.spell(["THERE", "HE", "IS"])), "THERE HE IS")

    def test_a_word_lasts_from_its_middle_to_its_end(self):
        """Frames are middled on 240, 560, ...: OH from 1,200 to 2,480, TWO right after it."""
        spans = [("OH", 1200, 2480), ("TWO", 2480, 3760)]
        free, blank, end = network.FREE, self.words.blank, self.words.delimiter
        target = network.span_targets(spans, 17, TIMING, self.words)
        self.assertEqual(target.tolist(), [blank, blank, blank, free, free, 6, 6, end, end, 5, 5,
                                           end, end, end, end, blank, blank])


class Recipes(unittest.TestCase):
    def test_a_base_says_what_a_recipe_does_not(self):
        letters, pieces = (recipe.load(RECIPES / f"{name}.toml") for name in ("english-letters", "english"))
        self.assertEqual(pieces["model"], letters["model"])
        said = recipe.tomllib.loads((RECIPES / "english.toml").read_text())["training"]
        self.assertEqual(pieces["training"], letters["training"] | said)
        self.assertTrue(set(letters["training"]) - set(said))
        self.assertEqual(len(labels.of(pieces)), len(labels.LETTERS) + 400)
        self.assertEqual((letters["name"], "card" in letters), ("english-letters", False))


class Measured(unittest.TestCase):
    def known(self, rate, **contexts):
        sets = [{"what": "all", "rate": rate}] if rate is not None else []
        where = {"low": export.LOW, "later": [0.96, 4.0, 0.96]}
        contexts = [{"what": where[name], "rate": value} for name, value in contexts.items()]
        with tempfile.TemporaryDirectory() as folder:
            export.describe(folder, {"main": "all", "sets": sets, "contexts": contexts})
            return json.loads((Path(folder) / "utter.json").read_text())

    def test_utter_is_told_what_costs_little(self):
        self.assertEqual(self.known(None), {"encoder": "window"})
        self.assertEqual(self.known(20.04), {"encoder": "window", "word_error_rate": 20.0})
        self.assertEqual(self.known(20.0, low=23.0, later=22.1)["encoder"], "window")
        for low, latency in ((20.5, "low"), (20.6, None), (19.0, "low")):
            known = self.known(20.0, low=low, later=21.9)
            self.assertEqual((known["encoder"], known.get("latency")), ("cached", latency))


class Silence(unittest.TestCase):
    def test_only_silence_is_another(self):
        rng = np.random.default_rng(1)
        clean = np.zeros(16000, np.float32)
        clean[4000:8000] = rng.uniform(0.1, 0.2, 4000)
        clean[8500:12000] = -0.1  # a pause that is too short to be one
        audio = clean + 0.01
        for _ in range(20):
            made = augment.other_silence(rng, audio, clean)
            np.testing.assert_array_equal(made[4000:12000], audio[4000:12000])
            self.assertGreater(np.abs(made[:3000] - audio[:3000]).max(), 1e-4)

    def test_recordings_in_each_silence(self):
        clip = np.full(3200, 1000, np.int16)
        edge = int(augment.AROUND * 16000)
        for silence in augment.SILENCES[1:]:
            made = augment.in_silence(clip, silence)
            self.assertEqual(len(made), 3200 + 2 * edge)
            self.assertEqual(made[:edge].any(), silence != "nothing around")
            self.assertEqual((made[edge : edge + 3200] != np.float32(1000 / 32768)).any(),
                             silence == "hiss throughout")


class Disguises(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(2)
        self.audio = np.zeros(12800, np.float32)
        self.audio[3200:9600] = rng.uniform(-0.3, 0.3, 6400)

    def test_trimming_cuts_near_the_sound(self):
        rng = np.random.default_rng(3)
        for _ in range(50):
            made = augment.trimmed(rng, self.audio)
            self.assertLessEqual(abs(len(made) - 6400), 2 * 800)
            self.assertTrue(made.any())

    def test_a_disguise_stays_the_same_and_its_words_are_as_loud(self):
        tempos = set()
        for seed in range(30):
            disguise = augment.Disguise(np.random.default_rng(seed))
            once = disguise.put_on(np.random.default_rng(seed), self.audio)
            again = disguise.put_on(np.random.default_rng(seed), self.audio)
            np.testing.assert_array_equal(once, again)
            self.assertEqual(once.dtype, np.float32)
            self.assertLess(abs(20 * np.log10(augment.rms(once) / 0.1)), 5.2)
            tempos.add(round(len(once) / 1600))
        self.assertGreater(len(tempos), 4)

    def test_rows_that_touch_hold_every_word_in_each_round(self):
        clips = [Clip("real", "anna", word, (self.audio * 32767).astype(np.int16))
                 for word in ["ONE", "TWO"] * 10]
        rows = list(validation.touching(clips))
        self.assertEqual(" ".join(text for _, text in rows).split().count("TWO"), 40)
        for audio, _ in rows:
            self.assertAlmostEqual(float(np.abs(audio).max()), 0.5, places=3)


class Lonely(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(4)
        self.said = {word: Clip("real", "anna", word, rng.integers(-9000, 9000, 6400, np.int16))
                     for word in ("TWO", "TREE")}

    def mixture(self, lonely):
        recipe = {"model": {"conv_kernel": [320, 2], "conv_stride": [160, 2]}, "mixture": {"words": 1.0},
                  "training": {"lonely": lonely}, "data": {}}
        return Mixture(recipe, Words({"keep": ["TWO"]}), [self.said["TWO"]], [], [], [self.said["TREE"]])

    def test_other_words_are_heard_and_not_printed(self):
        rows = [self.mixture(1.0).row(np.random.default_rng(seed), 96000) for seed in range(40)]
        for audio, printed, heard, spans in rows:
            self.assertEqual(printed, [word for word in heard if word == "TWO"])
            self.assertEqual(printed, [word for word, _, _ in spans])
            for _, start, stop in spans:
                self.assertTrue(audio[start:stop].any())
        everything = sum((heard for _, _, heard, _ in rows), [])
        self.assertAlmostEqual(everything.count("TREE") / len(everything), 0.4, delta=0.15)

    def test_lonely_rows_are_mostly_silence(self):
        for lonely in (0.0, 1.0):
            mixture = self.mixture(lonely)
            rows = [mixture.row(np.random.default_rng(seed), 96000) for seed in range(40)]
            self.assertEqual(np.mean([audio != 0 for audio, *_ in rows]) < 0.4, bool(lonely))
            self.assertEqual(any("TREE" in heard for _, _, heard, _ in rows), bool(lonely))

    def test_validation_has_a_word_with_seconds_around_it(self):
        rows = list(validation.lonely([self.said["TWO"]] * 30))
        for audio, text in rows:
            self.assertEqual(text, "TWO")
            self.assertGreater(len(audio), 16000 + 1600)
            loud = np.flatnonzero(np.abs(audio) > 0.1)
            self.assertGreater(min(loud[0], len(audio) - loud[-1]), 4000)
        self.assertTrue(any(audio[:4000].any() for audio, _ in rows))


class Narrow(unittest.TestCase):
    def test_eight_kilohertz_hold_low_tones_and_no_high_ones(self):
        time = np.arange(15999) / 16000
        for hertz, share in ((1000, 1.0), (6000, 0.0)):
            tone = np.sin(2 * np.pi * hertz * time).astype(np.float32)
            made = augment.narrowed(tone)
            self.assertEqual((made.dtype, len(made)), (np.float32, len(tone)))
            self.assertAlmostEqual(augment.rms(made) / augment.rms(tone), share, delta=0.02)

    def test_grains_sound_as_their_source_and_do_not_repeat_it(self):
        rng = np.random.default_rng(5)
        time = np.arange(8000) / 16000
        source = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
        for samples in (1, 399, 16000):
            self.assertEqual(len(augment.grains(rng, source, samples)), samples)
        made = augment.grains(rng, source, 16000)
        power = np.abs(np.fft.rfft(made)) ** 2
        self.assertGreater(power[900:1100].sum(), 0.95 * power.sum())
        self.assertLess(abs(np.corrcoef(made[:8000], source)[0, 1]), 0.5)


class Drawing(unittest.TestCase):
    def test_voices_say_what_they_can_by_their_weight(self):
        one = np.zeros(1, np.int16)
        clips = [Clip("real", "anna", "ONE", one)] * 4 + [Clip("real", "bert", "TWO", one),
                                                          Clip("made", "robot", "ONE", one)]
        voices, rng = Voices(clips, {"made": 0.5}), np.random.default_rng(1)
        drawn = [voices.draw(rng) for _ in range(7000)]
        self.assertAlmostEqual(drawn.count("anna") / 7000, 2 / 3.5, delta=0.03)
        self.assertAlmostEqual(drawn.count("robot") / 7000, 0.5 / 3.5, delta=0.03)
        self.assertEqual(voices.say(rng, "TWO", "anna").speaker, "bert")
        self.assertEqual(voices.say(rng, "ONE", "robot").speaker, "robot")


if __name__ == "__main__":
    unittest.main()
