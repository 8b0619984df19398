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
RECIPE = recipes.load(Path(__file__).parent / "recipes" / "smoke-taught.toml")


def lesson(rng, samples, text="A WORD"):
    """One whose states are the numbers of its frames."""
    audio = rng.integers(-3000, 3000, samples).astype(np.int16)
    frames = moonshine.frames(samples)
    states = np.tile(np.arange(frames, dtype=np.float16)[:, None], (1, moonshine.WIDTH))
    return lessons.Lesson(Clip("so762", "someone", text, audio), text, states)


def school(*found, **training):
    return lessons.School({**RECIPE, "training": {**RECIPE["training"], **training}}, list(found))


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


class TestStudent(unittest.TestCase):
    def test_what_it_prints_is_what_its_model_prints(self):
        torch.manual_seed(1)
        pupil, audio = student.Student(RECIPE).eval(), 0.1 * torch.randn(2, RATE)
        printed, likeness = pupil(audio)
        torch.testing.assert_close(printed, pupil.model(audio).logits.log_softmax(-1), atol=1e-5, rtol=0)
        self.assertEqual(likeness.shape, (*printed.shape[:2], moonshine.WIDTH))

    def test_a_likeness_counts_only_where_the_teacher_heard(self):
        taught = school(lesson(np.random.default_rng(4), 2 * RATE))
        with tempfile.TemporaryDirectory() as folder:
            stage = student.Taught(RECIPE, Session(Path(folder), "cpu", 0, 60), None)
            stage.module.eval()
            batch = taught.batch(0)
            self.assertTrue(batch.known.any() and not batch.known.all())
            with mock.patch.object(stage, "limits", lambda: None):
                _, (_, apart, _) = stage.losses(batch)
                batch.states[~batch.known] = 100.0
                _, (_, same, _) = stage.losses(batch)
                batch.states[batch.known] += 1.0
                _, (_, other, _) = stage.losses(batch)
        self.assertEqual(apart.item(), same.item())
        self.assertNotEqual(apart.item(), other.item())


class TestLessons(unittest.TestCase):
    def test_spelled(self):
        self.assertEqual(lessons.spelled("It’s a “re-run”, isn't it?"), "IT'S A RE RUN ISN'T IT")
        self.assertIsNone(lessons.spelled("In 1984."))
        self.assertIsNone(lessons.spelled("..."))

    def test_states_are_those_of_the_moment(self):
        for speed in (0.0, 1.0):
            taught = lesson(np.random.default_rng(2), 2 * RATE)
            rows = school(taught, speed=speed)
            samples = 5 * RATE
            _, text, placed = rows.row(np.random.default_rng(3), samples)
            frames = (samples - rows.field) // rows.hop + 1
            states, known = rows.states([placed], frames)
            self.assertEqual(text, ["A", "WORD"] * len(placed))
            one = placed[0]
            self.assertEqual(one.faster == 1.0, speed == 0.0)
            said = np.flatnonzero(known[0].numpy())
            said = said[said * rows.hop + rows.field / 2 < one.after]
            self.assertGreater(len(said), 1.5 * RATE / one.faster / rows.hop)
            for frame in (said[0], said[len(said) // 2], said[-1]):
                middle = (frame * rows.hop + (rows.field - 1) / 2 - one.start) * one.faster
                heard = states[0, frame].numpy() * rows.deviation + rows.mean
                # The frame's number is that of the teacher's whose middle is there.
                np.testing.assert_allclose(heard * moonshine.HOP + (moonshine.FIELD - 1) / 2, middle, atol=60)

    def test_a_recording_lies_where_it_is_said_to(self):
        taught = lesson(np.random.default_rng(5), RATE)
        audio, _, placed = school(taught, clean=1.0, speed=0.0).row(np.random.default_rng(6), 5 * RATE)
        loud = np.abs(audio) > 0.5 * np.abs(audio).max()
        self.assertLess(abs(int(loud.argmax()) - placed[0].first), 50)

    def test_silence_around_a_recording_is_left_out(self):
        """Of most; its states remain those of the moment, and no other frame has any."""
        taught = lesson(np.random.default_rng(8), 3 * RATE)
        taught.clip.audio[: RATE // 2] //= 1000
        taught.clip.audio[2 * RATE :] //= 1000
        bounds = RATE // 2 - lessons.MARGIN, 2 * RATE + lessons.MARGIN
        self.assertEqual(lessons.sounding(taught.clip.audio), bounds)
        self.assertEqual(lessons.sounding(np.zeros(RATE, np.int16)), (0, RATE))
        rows, whole = school(taught, clean=1.0, speed=0.0), 0
        for seed in range(20):
            _, _, placed = rows.row(np.random.default_rng(seed), 9 * RATE)
            one = placed[0]
            whole += one.after - one.first == 3 * RATE
            states, known = rows.states([placed[:1]], (9 * RATE - rows.field) // rows.hop + 1)
            heard = np.flatnonzero(known[0].numpy())
            middle = heard * rows.hop + (rows.field - 1) / 2
            self.assertTrue((middle >= one.first).all() and (middle < one.after).all())
            number = (states[0, heard, 0].numpy() * rows.deviation[0] + rows.mean[0]) * moonshine.HOP
            np.testing.assert_allclose(number + (moonshine.FIELD - 1) / 2, middle - one.start, atol=80)
        self.assertTrue(0 < whole < 12)

    def test_recordings_that_the_teacher_did_not_hear_have_no_states(self):
        rng = np.random.default_rng(9)
        heard, unheard = lesson(rng, 2 * RATE), lessons.unheard([lesson(rng, 3 * RATE).clip])
        rows = school(heard, *unheard)
        _, known = rows.states([[lessons.Said(0, 3 * RATE, 0.0, 1.0, unheard[0])]], 90)
        self.assertFalse(known.any())

    def test_recordings_that_fit_no_row_are_refused(self):
        for found in ([lesson(np.random.default_rng(7), 5 * RATE)], []):
            with self.assertRaisesRegex(SystemExit, "no recording fits"):
                school(*found)

    def test_recordings_without_a_text_or_too_short_are_left_out(self):
        audio = np.zeros(RATE, np.int16)
        clips = [Clip("", "", "", audio), Clip("", "", "", audio[:3000]), Clip("", "", "", audio)]
        with tempfile.TemporaryDirectory() as folder:
            found = lessons.load(clips, [None, "B", "C"], "train", folder)
            self.assertEqual([one.text for one in found], ["C"])
            self.assertEqual(found[0].frames, moonshine.frames(RATE))
            with self.assertRaisesRegex(SystemExit, "other recordings"):
                lessons.load(clips, ["A", "B", "C"], "train", folder)


class Consistency(unittest.TestCase):
    def test_two_views_that_print_the_same_are_not_apart(self):
        printed = torch.randn(2, 7, 5).log_softmax(-1)
        self.assertEqual(student.consistency(torch.cat([printed, printed]), RATE).item(), 0.0)

    def test_each_view_learns_from_the_other_as_it_is(self):
        """The mean of both divergences a frame of one second; the gradient is what pulls each to the other."""
        scores = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True)
        printed = scores.log_softmax(-1)
        ones, others = printed.detach()
        apart = student.consistency(printed, RATE)
        wanted = ((others.exp() - ones.exp()) * (others - ones)).sum() / 2 / 3
        torch.testing.assert_close(apart, wanted)
        apart.backward()
        torch.testing.assert_close(scores.grad[0], (ones.exp() - others.exp()) / 6)


class Locked(unittest.TestCase):
    def test_whole_channels_are_left_out_when_training_alone(self):
        dropout, hidden = student.LockedDropout(0.25), torch.ones(50, 6, 40)
        self.assertTrue((dropout.eval()(hidden) == 1).all())
        made = dropout.train()(hidden)
        self.assertTrue((made == made[:, :1]).all())
        self.assertAlmostEqual((made == 0).float().mean().item(), 0.25, delta=0.05)
        torch.testing.assert_close(made[made > 0].max().item(), 1 / 0.75)


if __name__ == "__main__":
    unittest.main()
