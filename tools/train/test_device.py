"""Nothing of a training is left on the CPU when it runs elsewhere: python -m unittest test_device"""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch.utils._pytree import tree_map_only

import corpus
import export
import lessons
import moonshine
import pretended
import pretrain
import recipe as recipes
import student
import train
from running import Running
from stage import Session
from validation import Validation

RECIPE = recipes.load(Path(__file__).resolve().parent / "recipes" / "smoke.toml")
TAUGHT = recipes.load(Path(__file__).resolve().parent / "recipes" / "smoke-taught.toml")
STEPS = 3
SECONDS = 3


def noise(count=4):
    """Recordings in which words are said to be."""
    rng = np.random.default_rng(1)
    frames = 100 * SECONDS
    for number in range(count):
        audio = (3000 * rng.standard_normal(SECONDS * corpus.RATE)).astype(np.int16)
        words = tuple((word, start, start + 60) for word, start in (("ONE", 20), ("TWO", 120), ("SIX", 210)))
        yield corpus.Clip("so762", str(number), "ONE TWO SIX", audio, words,
                          rng.integers(0, 40, frames).astype(np.uint8))


def go_on(stage):
    """From a checkpoint, as if read from a file to the stage's device: files know no such device."""
    stage.restore(tree_map_only(torch.Tensor, torch.clone, stage.state()))


class Elsewhere(unittest.TestCase):
    """Each stage here and on the pretended device: the same losses."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.clips = list(noise())

    def session(self, device):
        work = Path(self.folder.name) / torch.device(device).type
        work.mkdir(exist_ok=True)
        return Session(work, device, 0, 60)

    def losses(self, device, stage, dataset):
        return [stage.learn(dataset.batch(number)).to("cpu").tolist() for number in range(STEPS)]

    def both(self, run, tolerance=1e-4):
        here = run("cpu")
        adam = torch.optim.AdamW  # whose fused steps know no such device
        plain = mock.patch.object(torch.optim, "AdamW", lambda *args, fused, **more: adam(*args, **more))
        with plain, pretended.Pretence():
            np.testing.assert_allclose(run(pretended.DEVICE), here, rtol=tolerance)

    def test_a_forgotten_tensor_is_noticed(self):
        with pretended.Pretence():
            far = torch.ones(3).to(pretended.DEVICE)
            self.assertEqual((far + 1).to("cpu").tolist(), [2.0, 2.0, 2.0])
            with self.assertRaises(pretended.Misplaced):
                far + torch.ones(3)

    def test_pretraining(self):
        def run(device):
            stage = pretrain.Pretraining(RECIPE, self.session(device))
            made = self.losses(device, stage, pretrain.Listening(RECIPE, self.clips))
            go_on(stage)
            stage.keep(stage.session.work / "pretrained.pt")
            return made

        self.both(run)

    def test_training(self):
        for short in (0, STEPS):
            for context in (0.0, 1.0):
                recipe = {**RECIPE, "training": {**RECIPE["training"], "short_steps": short, "full_context": context}}
                with self.subTest(short=short, context=context):
                    self.both(lambda device: self.trained(recipe, device))

    def test_student(self):
        rng = np.random.default_rng(2)

        def taught(clip):
            shape = moonshine.frames(clip.samples), moonshine.WIDTH
            return lessons.Lesson(clip, clip.text, rng.standard_normal(shape).astype(np.float16))

        school = lessons.School(TAUGHT, [taught(clip) for clip in self.clips])

        def run(device):
            stage = student.Taught(TAUGHT, self.session(device), None)
            made = self.losses(device, stage, school)
            go_on(stage)
            return made

        self.both(run)

    def trained(self, recipe, device):
        dataset = Running(recipe, self.clips)
        stage = train.Recognition(recipe, self.session(device), dataset.vocabulary,
                                  Validation(self.clips[:1], [], recipes.Words({})))
        made = self.losses(device, stage, dataset)
        stage.validate(True)
        go_on(stage)
        export.save(stage.calibrated().cpu(), stage.session.work / "model", stage.alphabet)
        return made


if __name__ == "__main__":
    unittest.main()
