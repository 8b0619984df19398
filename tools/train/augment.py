"""What a microphone, a room and a person do to a recording. Every function takes the generator."""

import io

import numpy as np
import soundfile
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from corpus import RATE
from rooms import Rooms

ROOMS = Rooms(0)


def decibels(db):
    return 10.0 ** (db / 20.0)


def rms(audio):
    return float(np.sqrt(np.mean(np.square(audio)) + 1e-12))


def speed(audio, twentieths):
    """Faster (> 20) or slower (< 20), pitch and formants included: another speaker, nearly."""
    if twentieths == 20:
        return audio
    return resample_poly(audio, 20, twentieths).astype(np.float32)


def stretch(audio, ratio, window=640, search=160):
    """`ratio` times as long at the same pitch: windows are laid where they continue best (WSOLA)."""
    hop, shape = window // 2, np.hanning(window + 1)[:window].astype(np.float32)
    count = int((len(audio) * ratio - window) / hop)
    if count < 2 or len(audio) < 2 * window:
        return audio
    out, at = np.zeros(count * hop + window, np.float32), 0
    for number in range(count):
        if number:
            want = audio[at + hop : at + hop + window]  # what would follow
            low = min(max(0, int(number * hop / ratio) - search), len(audio) - window)
            field = audio[low : low + 2 * search + window]
            if len(want) < window or len(field) < window:
                break
            at = low + int(np.argmax(fftconvolve(field, want[::-1], "valid")))
        out[number * hop : number * hop + window] += audio[at : at + window] * shape
    return out


def pitch(audio, twentieths):
    """Higher (> 20) or lower (< 20) voices, formants included, as fast as before; as long, too."""
    if twentieths == 20:
        return audio
    changed = stretch(speed(audio, twentieths), twentieths / 20.0)[: len(audio)]
    return np.pad(changed, (0, len(audio) - len(changed)))


def coloured_noise(rng, samples):
    """Noise whose power falls with frequency by a random exponent: white, pink, brown, and hum."""
    spectrum = np.fft.rfft(rng.standard_normal(samples, dtype=np.float32))
    frequency = np.fft.rfftfreq(samples, 1.0 / RATE)
    slope = rng.uniform(0.0, 1.3)
    spectrum *= np.maximum(frequency, 40.0) ** -slope
    noise = np.fft.irfft(spectrum, samples).astype(np.float32)
    if rng.random() < 0.15:
        mains = rng.choice([50.0, 60.0]) * rng.integers(1, 4)
        phase = 2 * np.pi * mains * np.arange(samples) / RATE
        noise += rms(noise) * rng.uniform(0.5, 2) * np.sin(phase).astype(np.float32)
    return noise / rms(noise)


def babble(rng, samples, clips):
    """Several people at once, far enough away not to be understood."""
    total = np.zeros(samples, np.float32)
    for _ in range(rng.integers(4, 8)):
        voice = clips[rng.integers(len(clips))].audio
        start = rng.integers(0, max(1, len(voice) - samples + 1))
        part = voice[start : start + samples].astype(np.float32)
        at = rng.integers(0, samples - len(part) + 1)
        total[at : at + len(part)] += part / max(rms(part), 1.0)
    return total / rms(total)


def equalise(rng, audio):
    """A random smooth frequency response: microphones, cabinets, distance."""
    points = rng.uniform(-6.0, 6.0, 9)
    response = decibels(np.interp(np.linspace(0, 8, 65), np.arange(9), points))
    kernel = np.fft.fftshift(np.fft.irfft(response)) * np.hanning(128)
    return fftconvolve(audio, kernel.astype(np.float32), mode="same").astype(np.float32)


def narrow(rng, audio):
    """A telephone's band, or any other upper limit."""
    top = rng.uniform(3200.0, 7000.0)
    if rng.random() < 0.4:
        filter_ = butter(3, [rng.uniform(80.0, 300.0), top], "bandpass", fs=RATE, output="sos")
    else:
        filter_ = butter(5, top, "lowpass", fs=RATE, output="sos")
    return sosfilt(filter_, audio).astype(np.float32)


def room(rng, audio):
    """A box of walls, or the direct sound and a tail of noise that decays by 60 dB in 0.1 to 0.6 s."""
    if rng.random() < 0.5:
        return fftconvolve(audio, ROOMS.draw(rng))[: len(audio)].astype(np.float32)
    decay = rng.uniform(0.1, 0.6)
    samples = int(decay * RATE * 0.7)
    tail = rng.standard_normal(samples).astype(np.float32)
    tail *= np.exp(-6.9 * np.arange(samples) / (decay * RATE)).astype(np.float32)
    tail[: int(rng.uniform(0.001, 0.015) * RATE)] = 0
    tail *= decibels(rng.uniform(-18.0, -2.0)) / np.sqrt(np.sum(tail * tail) + 1e-9)
    tail[0] = 1.0
    return fftconvolve(audio, tail)[: len(audio)].astype(np.float32)


def telephone(audio):
    """8 kHz and the eight bits of mu-law."""
    narrow_band = resample_poly(audio, 1, 2)
    peak = float(np.max(np.abs(narrow_band))) + 1e-9
    squeezed = np.sign(narrow_band) * np.log1p(255 * np.abs(narrow_band) / peak) / np.log(256)
    squeezed = np.round(squeezed * 127) / 127
    wide = np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log(256)) / 255 * peak
    return resample_poly(wide, 2, 1)[: len(audio)].astype(np.float32)


def opus(rng, audio):
    """There and back through the codec of video calls, at a low to middling rate."""
    peak, file = float(np.max(np.abs(audio))) + 1e-9, io.BytesIO()
    soundfile.write(file, audio / peak * 0.5, RATE, format="OGG", subtype="OPUS",
                    compression_level=rng.uniform(0.85, 1.0))
    file.seek(0)
    back = soundfile.read(file, dtype="float32")[0][: len(audio)]
    return np.pad(back, (0, len(audio) - len(back))) * (peak * 2)


def set_level(rng, audio, peak):
    """The peak anywhere from -45 to 0 dBFS, and the rounding of a 16-bit converter."""
    audio = audio * (decibels(rng.uniform(-45.0, 0.0)) / peak)
    return np.round(audio * 32768.0).clip(-32768, 32767).astype(np.float32) / 32768.0


def gaps(audio, shortest):
    """[(first, last + 1)] of the runs of at least `shortest` samples that are exactly 0."""
    sounding = np.concatenate([[-1], np.flatnonzero(audio), [len(audio)]])
    starts, stops = sounding[:-1] + 1, sounding[1:]
    long = stops - starts >= shortest
    return list(zip(starts[long].tolist(), stops[long].tolist()))


def grains(rng, source, samples, grain=RATE // 20):
    """Noise that sounds as `source` does: windowed grains of 50 ms out of 200 ms of it, from random
    places and of random sign, half over each other; float32 [samples]."""
    start = rng.integers(0, max(1, len(source) - 4 * grain))
    source = source[start : start + 4 * grain]
    count, hop = -(-samples // grain) + 1, grain // 2
    places = rng.integers(0, max(1, len(source) - grain), (2, count))
    signs = rng.choice(np.float32([-1.0, 1.0]), (2, count, 1))
    window = np.sin(np.pi * (np.arange(grain, dtype=np.float32) + 0.5) / grain)
    laid = (source[np.minimum(places[..., None] + np.arange(grain), len(source) - 1)] * signs * window)
    return (laid[0].ravel()[hop : hop + samples] + laid[1].ravel()[:samples]).astype(np.float32)


def other_silence(rng, audio, clean):
    """Between words what is not the room the words were said in: a gate that closes, nothing at all,
    another hiss, a murmur. `clean` is the same before noise was added: silence is where that is 0."""
    level = float(np.max(np.abs(audio))) * decibels(rng.uniform(-60.0, -30.0))
    kind = rng.choice(["nothing", "hiss", "murmur"], p=[0.35, 0.3, 0.35])
    filling = np.zeros_like(audio)
    if kind == "hiss":
        filling = coloured_noise(rng, len(audio)) * level
    elif kind == "murmur" and clean.any():
        filling = grains(rng, clean[clean != 0], len(audio))
        filling *= level / rms(filling)
    held = int(rng.exponential(0.08) * RATE)  # for how long the gate stays open
    fade = 1 + (int(rng.uniform(0.005, 0.05) * RATE) if rng.random() < 0.5 else 0)
    made = audio.copy()
    for start, stop in gaps(clean, RATE // 8):
        start = min(stop, start + held) if start > 0 else 0
        share = np.ones(stop - start, np.float32)
        ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)[: stop - start]
        if start > 0:
            share[: len(ramp)] = ramp
        if stop < len(audio):
            share[len(share) - len(ramp) :] *= ramp[::-1]
        made[start:stop] += share * (filling[start:stop] - audio[start:stop])
    return made


def narrowed(audio):
    """Through 8 kHz and back: what was recorded at that rate."""
    return resample_poly(resample_poly(audio, 1, 2), 2, 1)[: len(audio)].astype(np.float32)


def trimmed(rng, audio, frame=RATE // 200):
    """Cut tightly: from 50 ms before to 50 ms after the sound's own beginning, its end likewise."""
    strength = np.square(audio[: len(audio) // frame * frame].reshape(-1, frame)).mean(1)
    loud = np.flatnonzero(strength > strength.max() * 1e-3)
    start, stop = loud[0] * frame, (loud[-1] + 1) * frame
    start = max(0, start + int(rng.uniform(-0.05, 0.05) * RATE))
    stop = min(len(audio), stop + int(rng.uniform(-0.05, 0.05) * RATE))
    return audio[start:stop] if stop - start > RATE // 8 else audio


class Disguise:
    """What makes one voice's words those of another: the size of its head and its pitch, its tempo, how
    tightly it was cut, its microphone, the noise of its room."""

    def __init__(self, rng):
        self.rate = int(rng.integers(15, 27))  # as of `speed`
        self.tempo = rng.uniform(0.75, 1.4) if rng.random() < 0.5 else None
        self.trim = rng.random() < 0.6
        self.microphone = rng.integers(1 << 30) if rng.random() < 0.4 else None
        self.noise = rng.uniform(-50.0, -25.0) if rng.random() < 0.35 else None  # dB over the word

    def put_on(self, rng, audio):
        if self.trim:
            audio = trimmed(rng, audio)
        rate = int(np.clip(self.rate + rng.integers(-1, 2), 15, 26))
        audio = speed(audio, rate)
        if self.tempo:
            slower = stretch(audio, self.tempo * rate / 20.0 * rng.uniform(0.92, 1.08))
            audio = slower if len(slower) > RATE // 8 else audio
        if self.microphone is not None:
            audio = equalise(np.random.default_rng(self.microphone), audio)
        audio = audio * np.float32(0.1 / rms(audio) * decibels(rng.uniform(-5.0, 5.0)))
        if self.noise is not None:
            audio = audio + coloured_noise(rng, len(audio)) * np.float32(0.1 * decibels(self.noise))
        return audio.astype(np.float32)


SILENCES = ("as recorded", "nothing around", "hiss around", "hiss throughout")  # when measuring
AROUND = 0.7  # seconds


def in_silence(audio, silence):
    """Samples in one of SILENCES, float32; the hiss 50 dB below the loudest sample."""
    if audio.dtype == np.int16:
        audio = audio.astype(np.float32) / 32768.0
    if silence == "as recorded":
        return audio
    edge = int(AROUND * RATE)
    made = np.pad(audio, edge)
    if silence == "nothing around":
        return made
    noise = np.random.default_rng(len(audio)).standard_normal(len(made), dtype=np.float32)
    noise *= float(np.max(np.abs(audio))) * decibels(-50.0)
    if silence == "hiss around":
        noise[edge : edge + len(audio)] = 0
    return made + noise


def gentle(rng, audio):
    """A quiet room and a good microphone, for the first steps."""
    noise = coloured_noise(rng, len(audio)) * (rms(audio) * decibels(rng.uniform(-50.0, -25.0)))
    audio = audio + noise
    return set_level(rng, audio, float(np.max(np.abs(audio))) + 1e-9)


def spoil(rng, audio, voices):
    """Speech of any level in, a microphone's signal out; `voices` are the clips for babble."""
    level = rms(audio)
    if rng.random() < 0.6:
        audio = equalise(rng, audio)
    if rng.random() < 0.3:
        audio = room(rng, audio)
    if rng.random() < 0.9:
        crowd = rng.random() < 0.25
        noise = babble(rng, len(audio), voices) if crowd else coloured_noise(rng, len(audio))
        ratio = rng.uniform(8.0, 35.0) if crowd else rng.uniform(3.0, 50.0)
        audio = audio + noise * (level * decibels(-ratio))
    channel = rng.random()
    if channel < 0.2:
        audio = narrow(rng, audio)
    elif channel < 0.26:
        audio = telephone(audio)
    elif channel < 0.27:  # encoding takes longer than all else here
        audio = opus(rng, audio)
    peak = float(np.max(np.abs(audio))) + 1e-9
    if rng.random() < 0.08:
        limit = peak * rng.uniform(0.2, 0.8)
        audio, peak = np.clip(audio, -limit, limit), limit
    return set_level(rng, audio, peak)
