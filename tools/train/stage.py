"""A training loop that stops in good order and goes on from its checkpoint."""

import contextlib
import math
import os
import signal
import sys
import time

import torch

import optimiser

REPORT_EVERY = 20  # steps


class Session:
    """This call of the program: its machine, its patience, its log."""

    def __init__(self, work, device, workers, minutes):
        self.work, self.device, self.workers = work, torch.device(device), workers
        self.ends = time.monotonic() + minutes * 60
        self.asked = False
        self.log = open(work / "log.txt", "a", buffering=1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask_to_stop)

    def ask_to_stop(self, *_):
        self.asked = True

    def over(self):
        return self.asked or time.monotonic() > self.ends

    def say(self, line):
        print(line, flush=True)
        self.log.write(line + "\n")

    def batches(self, dataset, first, last):
        """dataset.batch(first) ... dataset.batch(last - 1), made ahead by other processes."""
        loader = torch.utils.data.DataLoader(
            Numbered(dataset), batch_size=None, sampler=range(first, last), collate_fn=unchanged,
            num_workers=self.workers, prefetch_factor=4 if self.workers else None,
            multiprocessing_context="fork" if self.workers else None)
        return iter(loader)


class Numbered(torch.utils.data.Dataset):
    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, number):
        return self.dataset.batch(number)


def unchanged(batch):
    return batch


def learning_rate(step, done, training):
    """Linear warm-up, then half a cosine down to a hundredth, over the last `decay_steps` if given. `done`:
    the share of the training that is over."""
    warm, last = training["warmup_steps"], training["steps"]
    if step < warm:
        return training["learning_rate"] * (step + 1) / warm
    decay = max(1, min(training.get("decay_steps", last), last - warm)) / last
    fallen = (done - (1 - decay)) / decay
    shape = 0.5 * (1 + math.cos(math.pi * min(1, max(0, fallen))))
    return training["learning_rate"] * (0.01 + 0.99 * shape)


class Stage:
    """What changes while training. Children give `columns`, `losses`, and what happens between. It has
    as many steps as the recipe says, or else as many as go into `minutes`, and then the learning rate
    falls by the clock."""

    columns = ()

    def __init__(self, module, training, seed, session, checkpoint, minutes):
        self.module, self.training, self.seed = module.to(session.device), training, seed
        self.session, self.path = session, session.work / checkpoint
        half = training.get("bfloat16", False)
        if half and session.device.type == "cpu":  # plain products take less time than torch's own attention there
            getattr(module, "model", module).set_attn_implementation("eager")
        self.precision = (torch.autocast(session.device.type, torch.bfloat16) if half
                          else contextlib.nullcontext())
        self.optimisers = optimiser.build(self.module, training)
        self.step, self.seconds = 0, 0.0
        self.limit = minutes and 60 * minutes

    def state(self):
        return {
            "trainee": self.module.state_dict(), "step": self.step, "seconds": self.seconds,
            "optimisers": [one.state_dict() for one in self.optimisers],
        }

    def restore(self, state):
        self.module.load_state_dict(state["trainee"])
        for one, kept in zip(self.optimisers, state["optimisers"]):
            one.load_state_dict(kept)
        self.step, self.seconds = state["step"], state["seconds"]

    def resume(self):
        if self.path.exists():
            self.restore(torch.load(self.path, map_location=self.session.device, weights_only=True))

    def save(self):
        partial = self.path.with_suffix(".tmp")
        torch.save(self.state(), partial)
        os.replace(partial, self.path)

    def done(self):
        """The share of the training that is over; of one by the clock, when it last reported."""
        return self.seconds / self.limit if self.limit else self.step / self.training["steps"]

    def losses(self, batch):
        """(what to minimise, [what to report, for each of `columns`])"""
        raise NotImplementedError

    def after_step(self):
        pass

    def validate(self, last):
        pass

    def learn(self, batch):
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        for one in self.optimisers:
            for group in one.param_groups:
                group["lr"] = learning_rate(self.step, self.done(), self.training) * group["factor"]
        self.module.train()
        total, parts = self.losses(batch)
        self.module.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            self.module.parameters(), self.training["gradient_norm"])
        if torch.isfinite(norm):
            for one in self.optimisers:
                one.step()
        self.step += 1
        self.after_step()
        return torch.stack([part.detach() for part in [*parts, norm]])

    def report(self, sums, count, took):
        means = (sums / count).tolist()
        shown = "  ".join(f"{name} {value:7.3f}" for name, value in zip(self.columns, means))
        self.session.say(f"{self.step:6d}  {shown}  norm {means[-1]:7.2f}  {took / count:5.2f} s/step")

    def go(self, dataset):
        """Trains to the end: True; or until the session is over: False."""
        training, session = self.training, self.session
        most = sys.maxsize if self.limit else training["steps"]
        batches = session.batches(dataset, self.step, most)
        began, sums, count = time.monotonic(), 0.0, 0
        while self.done() < 1:
            sums, count = sums + self.learn(next(batches)), count + 1
            stop = session.over()
            if self.step % REPORT_EVERY == 0 or self.step == most or stop:
                took = time.monotonic() - began
                self.report(sums, count, took)
                self.seconds += took
                began, sums, count = time.monotonic(), 0.0, 0
            last = self.done() >= 1
            if self.step % training["validate_every"] == 0 or last:
                self.validate(last)
            if self.step % training["checkpoint_every"] == 0 or last or stop:
                self.save()
            if stop and not last:
                session.say(f"{self.step:6d}  stopped; the same command goes on from here")
                return False
            if count == 0:
                began = time.monotonic()
        return True
