"""What synthetic speech says and who says it: python -m unittest test_voices"""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

import texts
import voices


def speaker(seed=1):
    return voices.Speaker(np.random.default_rng(seed))


class TestSpeaker(unittest.TestCase):
    def test_pitch_is_the_speakers_and_silence_has_none(self):
        one, rng = speaker(), np.random.default_rng(2)
        one.tremor = 0.0
        melody = np.concatenate([np.zeros(5), np.linspace(150.0, 250.0, 40), np.zeros(5)]).astype(np.float32)
        made = one.pitched(rng, melody)
        self.assertTrue((made[melody == 0] == 0).all())
        voiced = np.log(made[melody > 0])
        self.assertAlmostEqual(voiced.mean(), one.pitch, delta=1e-4)
        self.assertAlmostEqual(voiced.std() / np.log(melody[melody > 0]).std(), one.lively, delta=1e-3)
        self.assertTrue((one.pitched(rng, np.zeros(9, np.float32)) == 0).all())

    def test_a_formant_moves_with_the_size_of_the_head(self):
        one = speaker()
        for one.size in (0.8, 1.2):
            spectrum = np.zeros((601, 3), np.float32)
            spectrum[100] = 1.0
            self.assertAlmostEqual(int(one.sized(spectrum)[:, 1].argmax()), 100 * one.size, delta=1)

    def test_an_accent_changes_sounds_of_its_own_alone(self):
        one = speaker()
        one.rules = []
        self.assertEqual(one.pronounced("ðə kˈɑɹt"), "ðə kˈɑɹt")
        one.rules = [voices.ACCENTS[0], ("ð", "d")]
        self.assertEqual(one.pronounced("ðə kˈɑɹt ɹˈʌn"), "də kˈɑt ɹˈʌn")

    def test_it_speaks_and_the_same_speaker_says_the_same(self):
        said = [speaker().say(np.random.default_rng(3), "A short sentence.") for _ in range(2)]
        np.testing.assert_array_equal(*said)
        self.assertTrue(0.5 < len(said[0]) / voices.dsp.SR < 4.0)
        self.assertTrue(np.isfinite(said[0]).all() and np.abs(said[0]).max() > 0.01)


class TestTexts(unittest.TestCase):
    def test_examples_are_sentences_without_figures_or_acronyms(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(texts, "WORDNET", Path(folder)):
            with self.assertRaisesRegex(SystemExit, "no WordNet"):
                texts.examples()
            (Path(folder) / "data.noun").write_text(
                '  1 a licence "in quotes of its own"\n'
                '00001740 03 n 01 entity 0 | what is; "it was full of rackets"; "he has 2 of them"; "the FBI came"; "one"\n')
            self.assertEqual(texts.examples(), ["it was full of rackets"])

    def test_a_sentence_is_an_example_or_made_up(self):
        writer = texts.Writer(np.random.default_rng(4), ["odd"], ["short one", "this one is long enough by far"])
        said = [writer.sentence() for _ in range(300)]
        examples = [text for text in said if "one" in text and not text.isupper()]
        self.assertAlmostEqual(len(examples) / 300, texts.EXAMPLES, delta=0.07)
        self.assertIn("this one is long enough by far", examples)
        self.assertIn("short one; short one", examples)

    def test_written_as_tables_have_it(self):
        self.assertEqual(texts.written("He's here; isn't he - now?"), "HE'S HERE ISN'T HE NOW")


if __name__ == "__main__":
    unittest.main()
