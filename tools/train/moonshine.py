"""A teacher: the English Moonshine tiny (MIT, Useful Sensors), whose weights lie in the wheel of moonshine-voice.

It hears far better than what can be trained from some hours of recordings, but only whole
utterances, and it writes one token after the other, so that it cannot caption a stream by itself. Its
encoder (Jeffries et al. 2024, arXiv:2410.15608) is rebuilt here as transformers' own module from
the file for ONNX Runtime; its decoder runs there as it is.
"""

import importlib.util
import re
from pathlib import Path

import numpy as np
import torch
from transformers import MoonshineConfig
from transformers.models.moonshine.modeling_moonshine import MoonshineEncoder

from corpus import RATE

TYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}  # TensorProto.DataType
BEGIN, END = 1, 2  # tokens
MOST_TOKENS = 6.5  # a second
HOP, FIELD = 384, 895  # samples from frame to frame, and heard by one of the encoder's input
WIDTH = 288  # of its hidden states


def folder():
    """Where the wheel's files lie; the package itself is not run."""
    package = importlib.util.find_spec("moonshine_voice")
    if not package:
        raise SystemExit("moonshine-voice is missing: pip install -r requirements.txt")
    return Path(package.submodule_search_locations[0]) / "assets" / "tiny-en"


def frames(samples):
    """How many the encoder makes of so many samples."""
    return max(0, (((samples - 127) // 64 + 1 - 7) // 3 + 1 - 3) // 2 + 1)


def graph(path):
    """({name: array}, [(operation, name, inputs, outputs)]) of a model in ONNX Runtime's own format."""
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

    main = InferenceSession.GetRootAs(bytearray(path.read_bytes()), 0).Model().Graph()
    arrays = {}
    for tensor in map(main.Initializers, range(main.InitializersLength())):
        if tensor.RawDataLength() and tensor.DataType() in TYPES:
            shape = [tensor.Dims(axis) for axis in range(tensor.DimsLength())]
            values = np.frombuffer(tensor.RawDataAsNumpy().tobytes(), TYPES[tensor.DataType()])
            arrays[tensor.Name().decode()] = values.reshape(shape)
    nodes = [(node.OpType().decode(), node.Name().decode(),
              [node.Inputs(at).decode() for at in range(node.InputsLength())],
              [node.Outputs(at).decode() for at in range(node.OutputsLength())])
             for node in map(main.Nodes, range(main.NodesLength()))]
    return arrays, nodes


SCALES = {"DynamicQuantizeMatMul": (2, 3), "MatMulIntegerToFloat": (3, 5)}  # inputs: scale, zero point


def weights():
    """Those of the encoder in transformers' names; the layers' matrices were rounded to 8 bits."""
    arrays, nodes = graph(folder() / "encoder_model.ort")
    found = {}
    for operation, name, inputs, outputs in nodes:
        place = re.match(r"/layers\.(\d+)/(self_attn|mlp)/(\w+)/MatMul", name or outputs[0])
        if place and operation in SCALES:
            scale, zero = (arrays[inputs[at]].astype(np.float32) for at in SCALES[operation])
            matrix = (arrays[inputs[1]].astype(np.float32) - zero) * scale
            found["layers.%s.%s.%s.weight" % place.groups()] = matrix.T
        elif name == "/groupnorm/Mul":
            found["groupnorm.weight"] = arrays[inputs[1]].ravel()
        elif name == "/groupnorm/Add":
            found["groupnorm.bias"] = arrays[inputs[1]].ravel()
    for name, values in arrays.items():
        if re.match(r"(layers\.\d+\..*|layer_norm|conv\d)\.(weight|bias)$", name):
            found[name] = values
        elif name.endswith(".weight_add_tensor"):
            found[name.removesuffix("_add_tensor")] = values
    return {name: torch.from_numpy(np.array(values)) for name, values in found.items()}


def encoder(work=None):
    """float32 [1, samples] -> hidden states [1, frames, WIDTH], as ONNX Runtime's but for rounding inputs. WORK
    keeps its weights in F16, so that the wheel is not needed everywhere."""
    made, kept = MoonshineEncoder(MoonshineConfig()).eval().requires_grad_(False), None
    if work:
        kept = Path(work) / "teacher.pt"
        if not kept.exists():
            torch.save({name: value.half() for name, value in weights().items()}, kept)
    made.load_state_dict(torch.load(kept, weights_only=True) if kept else weights())
    return made


def tokens():
    """[bytes], each behind its length: one byte, or two, the lower seven bits first."""
    data, found, at = (folder() / "tokenizer.bin").read_bytes(), [], 0
    while at < len(data):
        size, at = data[at], at + 1
        if size >= 128:
            size, at = size - 128 + data[at] * 128, at + 1
        found.append(data[at : at + size])
        at += size
    return found


class Listener:
    """Writes down recordings, one at a time, the likeliest token each time."""

    def __init__(self, threads=1):
        import onnxruntime  # not needed where the texts are known

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(folder() / f"{part}.ort", options)
            for part in ("encoder_model", "decoder_model_merged"))
        self.tokens = tokens()
        self.outputs = [one.name.replace("present", "past_key_values") for one in self.decoder.get_outputs()]
        self.nothing = {one.name: np.zeros((1, 8, 0, 36), np.float32)
                        for one in self.decoder.get_inputs() if one.name.startswith("past")}

    def hear(self, audio):
        """float32 [samples] -> (text as it writes it, mean log probability of its tokens)"""
        heard = np.ones((1, len(audio)), np.int64)
        hidden = self.encoder.run(None, {"input_values": audio[None], "attention_mask": heard})[0]
        past, written, likely = dict(self.nothing), [BEGIN], 0.0
        for step in range(int(len(audio) / RATE * MOST_TOKENS) + 2):
            scores, *present = self.decoder.run(None, {
                "input_ids": np.array([written[-1:]]), "encoder_hidden_states": hidden,
                "encoder_attention_mask": heard, "use_cache_branch": np.array([step > 0]), **past})
            best, scores = int(scores[0, -1].argmax()), scores[0, -1] - scores[0, -1].max()
            likely -= float(np.log(np.exp(scores).sum()))
            if best == END:
                break
            written.append(best)
            past.update((name, value) for name, value in zip(self.outputs[1:], present)
                        if step == 0 or ".decoder." in name)  # what it heard it keeps from the first step
        text = b"".join(self.tokens[token] for token in written[1:]).decode("utf8", "replace")
        return text.replace("\u2581", " ").strip(), likely / len(written)
