"""What a student begins with, and whether its lessons lie where it hears them: python -m unittest test_student"""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import soundfile
import torch

import lessons
import moonshine
import recipe as recipes
import student
from corpus import RATE, Clip
from stage import Session

CLIPS = Path(__file__).resolve().parents[2] / "tests" / "e2e" / "data"
SCALE = np.ones(moonshine.WIDTH, np.float32)
RECIPE = recipes.load(Path(__file__).parent / "recipes" / "smoke-taught.toml")


def lesson(rng, samples, text="A WORD"):
    """One whose states are the numbers of its frames."""
    audio = rng.integers(-3000, 3000, samples).astype(np.int16)
    frames = moonshine.frames(samples)
    states = np.tile(np.arange(frames, dtype=np.float16)[:, None], (1, moonshine.WIDTH))
    return lessons.Lesson(Clip("so762", "someone", text, audio), text, states)


class TestTeacher(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.teacher = moonshine.encoder()

    def test_rebuilt_encoder_is_the_one_of_the_file(self):
        audio = soundfile.read(next(CLIPS.glob("*.flac")), dtype="float32")[0][None]
        listener = moonshine.Listener()
        heard = listener.encoder.run(None, {"input_values": audio,
                                            "attention_mask": np.ones(audio.shape, np.int64)})[0]
        rebuilt = self.teacher(torch.from_numpy(audio)).last_hidden_state.numpy()
        self.assertEqual(heard.shape, rebuilt.shape)
        self.assertEqual(heard.shape[1], moonshine.frames(audio.shape[1]))
        # The file rounds what goes into each product to 8 bits as well.
        apart = np.square(heard - rebuilt).mean() / np.square(heard - heard.mean(1)).mean()
        self.assertLess(apart, 0.02)

    def test_kept_weights_are_those_of_the_wheel(self):
        with tempfile.TemporaryDirectory() as folder:
            moonshine.encoder(folder)
            with mock.patch.object(moonshine, "weights", None):
                kept = moonshine.encoder(folder)
        for name, value in self.teacher.state_dict().items():
            torch.testing.assert_close(kept.state_dict()[name], value, atol=1e-3, rtol=1e-3)

    def test_layers_begin_by_passing_on(self):
        pupil = student.Student(RECIPE, self.teacher).eval()
        hidden = torch.randn(2, 20, moonshine.WIDTH)
        self.assertGreater(pupil.imitating, 0)
        torch.testing.assert_close(pupil.layers(hidden, 0, pupil.imitating), hidden)

    def test_imitation_does_not_change_what_spells(self):
        pupil = student.Student(RECIPE, self.teacher)
        with tempfile.TemporaryDirectory() as folder:
            stage = student.Imitation(pupil, RECIPE, Session(Path(folder), "cpu", 0, 60))
            before = {name: value.clone() for name, value in pupil.state_dict().items()}
            rng = np.random.default_rng(6)
            school = lessons.School(RECIPE, "imitation", [lesson(rng, 2 * RATE)], SCALE)
            stage.learn(school.batch(0))
        spelling = [name for name, _ in pupil.named_parameters()
                    if f".layers.{pupil.imitating}." in name or "lm_head" in name]
        self.assertTrue(spelling)
        changed = {name for name, value in pupil.state_dict().items() if not torch.equal(value, before[name])}
        self.assertFalse(changed & set(spelling))
        self.assertTrue(any("conv_layers" in name for name in changed))
        self.assertTrue(all(one.requires_grad for name, one in pupil.named_parameters()))


class TestLessons(unittest.TestCase):
    def test_spelled(self):
        self.assertEqual(lessons.spelled("It’s a “re-run”, isn't it?"), "IT'S A RE RUN ISN'T IT")
        self.assertIsNone(lessons.spelled("In 1984."))
        self.assertIsNone(lessons.spelled("..."))

    def test_states_lie_where_the_student_hears_them(self):
        rng = np.random.default_rng(2)
        taught = lesson(rng, 2 * RATE)
        school = lessons.School(RECIPE, "imitation", [taught], SCALE)
        batch = school.batch(0)
        self.assertAlmostEqual(batch.spread, float(taught.states.astype(np.float32).var(0).mean()), places=3)
        frames = (batch.audio.shape[1] - school.field) // school.hop + 1
        self.assertEqual(tuple(batch.known.shape), (len(batch.audio), frames))
        first = int(batch.known[0].int().argmax())
        self.assertEqual(batch.states[0, first : first + 3, 0].tolist(), [0.0, 1.0, 2.0])
        # The recording begins within the gentle noise where the middle of its frame 0 says.
        loud = batch.audio[0].abs() > 0.5 * batch.audio[0].abs().max()
        begins = int(loud.int().argmax())
        middle = first * school.hop + (school.field - 1) / 2
        self.assertLess(abs(middle - (begins + (moonshine.FIELD - 1) / 2)), school.hop)

    def test_recordings_that_fit_no_row_are_refused(self):
        long = lesson(np.random.default_rng(7), 5 * RATE)
        for found in ([long], []):
            with self.assertRaisesRegex(SystemExit, "no recording fits"):
                lessons.School(RECIPE, "imitation", found, SCALE)

    def test_faster_speech_has_no_states(self):
        rng = np.random.default_rng(3)
        recipe = {**RECIPE, "imitation": {**RECIPE["imitation"], "speed": 1.0}}
        batch = lessons.School(recipe, "imitation", [lesson(rng, 2 * RATE)], SCALE).batch(0)
        self.assertFalse(batch.known.any())
        pupil = student.Student(RECIPE, moonshine.encoder())
        made = torch.zeros(*batch.known.shape, moonshine.WIDTH, requires_grad=True)
        self.assertEqual(student.Likeness(pupil, batch).of_states(made).item(), 0.0)

    def test_a_row_with_an_unknown_text_has_none(self):
        rng = np.random.default_rng(4)
        batch = lessons.School(RECIPE, "imitation", [lesson(rng, RATE, None)], SCALE).batch(0)
        self.assertEqual(set(batch.texts), {None})

    def test_dictation_joins_states_and_texts(self):
        rng = np.random.default_rng(5)
        batch = lessons.Dictation(RECIPE, "spelling", [lesson(rng, RATE)], SCALE).batch(0)
        frames = moonshine.frames(RATE)
        self.assertEqual(batch.texts[0][:2], ["A", "WORD"])
        self.assertEqual(batch.states[0, :frames, 0].tolist(), list(range(frames)))
        self.assertEqual(len(batch.texts[0]) // 2, int((batch.states[0, :, 0] == frames - 1).sum()))


if __name__ == "__main__":
    unittest.main()
