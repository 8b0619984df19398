# SPDX-License-Identifier: MIT
"""The same weights in the form that each peer reads: ONNX of fixed shape, fp32 and int8; CTranslate2's."""

import json
import logging
import os
import pathlib

import numpy

RATE = 16000


def normalize(samples):
    """What do_normalize asks for, as utter does it inside."""
    samples = samples.astype(numpy.float64)
    return ((samples - samples.mean()) / numpy.sqrt(samples.var() + 1e-7)).astype(numpy.float32)


def sound(window, seed=0):
    """Noise with the levels of speech, [samples]; another seed for calibration."""
    generator = numpy.random.default_rng(seed)
    count = round(window * RATE)
    time = numpy.arange(count) / RATE
    level = 0.001 + 0.1 * numpy.abs(numpy.sin(numpy.pi * 4 * time + seed)) ** 2
    return (level * generator.standard_normal(count)).astype(numpy.float32)


def load_torch(model, attention):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    network = transformers.Wav2Vec2ForCTC.from_pretrained(model, attn_implementation=attention).eval()
    # Weight norm is computed once, not in every pass.
    torch.nn.utils.parametrize.remove_parametrizations(network.wav2vec2.encoder.pos_conv_embed.conv, "weight")
    return network


def export_onnx(model, path):
    """For windows of any length."""
    import torch

    network = load_torch(model, "eager")

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, samples):
            return self.network(samples).logits

    with torch.no_grad():
        torch.onnx.export(Logits(), (torch.zeros(1, RATE),), str(path), input_names=["samples"],
                          output_names=["logits"], dynamic_axes={"samples": {1: "n"}, "logits": {1: "t"}},
                          opset_version=17, dynamo=False)


def fuse_attention(source, target, layers, heads):
    """All of each attention but the output's projection becomes ONNX Runtime's own operator.

    onnxruntime.transformers.optimizer does not recognise wav2vec2's attention (1.32 fuses none).
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(source)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}

    def constant(node):
        name = next(name for name in node.input if name in weights)
        return numpy_helper.to_array(weights[name])

    for i in range(layers):
        place = f"layers.{i}/attention/"
        nodes = {node.name.split(place)[1]: node for node in graph.node if place in node.name}
        products = [nodes[f"{kind}_proj/MatMul"] for kind in "qkv"]
        biases = [nodes[f"{kind}_proj/Add"] for kind in "qkv"]
        out = next(name for name in nodes["out_proj/MatMul"].input if name not in weights)
        hidden = next(name for name in products[0].input if name not in weights)
        added = {f"attention.{i}.weight": numpy.concatenate([constant(node) for node in products], axis=1),
                 f"attention.{i}.bias": numpy.concatenate([constant(node) for node in biases])}
        graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in added.items())
        fused = onnx.helper.make_node("Attention", [hidden, *added], [out], name=place + "fused",
                                      domain="com.microsoft", num_heads=heads)
        # Where the first of its nodes was, so that the order stays topological.
        at = list(graph.node).index(products[0])
        removed = [node for name, node in nodes.items() if not name.startswith("out_proj/")]
        graph.node.insert(at, fused)
        for node in removed:
            graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    save(model, target)


def fix_shape(source, window, target):
    import onnx
    from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

    graph = onnx.load(source)
    make_input_shape_fixed(graph.graph, "samples", [1, round(window * RATE)])
    save(graph, target)


def save(graph, target):
    """With its weights beside it where they are too big for one file."""
    import onnx

    onnx.save(graph, target, save_as_external_data=graph.ByteSize() > 2**30, location=target.name + ".data",
              all_tensors_to_one_file=True)


def quantize_dynamic(source, target):
    """Matrix products in int8, activations by what each pass brings."""
    from onnxruntime import quantization

    quantization.quantize_dynamic(source, target, per_channel=True, weight_type=quantization.QuantType.QInt8,
                                  op_types_to_quantize=["MatMul", "Gemm", "Attention"],
                                  use_external_data_format=source.stat().st_size < 2**20,
                                  extra_options={"MatMulConstBOnly": True})


def quantize_static(source, target, window):
    """Convolutions too, activations by what a calibration brought."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.rest = iter([{"samples": normalize(sound(window, seed))[None]} for seed in range(1, 4)])

        def get_next(self):
            return next(self.rest, None)

    quantization.quantize_static(source, target, Reader(), quant_format=quantization.QuantFormat.QDQ,
                                 per_channel=True, activation_type=quantization.QuantType.QUInt8,
                                 weight_type=quantization.QuantType.QInt8,
                                 op_types_to_quantize=["MatMul", "Gemm", "Conv"],
                                 use_external_data_format=source.stat().st_size < 2**20)


def convert_ctranslate2(model, target):
    import ctranslate2

    ctranslate2.converters.TransformersConverter(str(model)).convert(str(target))


def prepare(folder, windows, peers):
    """Makes in `folder`, where `model` lies, what is not there yet for these peers."""
    logging.getLogger().setLevel(logging.ERROR)
    os.environ["HF_HUB_OFFLINE"] = "1"
    folder = pathlib.Path(folder)
    config = json.loads((folder / "model" / "config.json").read_text())
    onnx_wanted = any(peer.startswith(("ort", "openvino")) for peer in peers)
    for window in windows:
        name = f"{window:g}"
        sound(window).tofile(folder / f"samples-{name}.f32")
        plain, fused = folder / f"plain-{name}.onnx", folder / f"fused-{name}.onnx"
        if onnx_wanted and not plain.exists():
            if not (folder / "any.onnx").exists():
                export_onnx(folder / "model", folder / "any.onnx")
            fix_shape(folder / "any.onnx", window, plain)
        if "ort-attention" in peers and not fused.exists():
            fuse_attention(plain, fused, config["num_hidden_layers"], config["num_attention_heads"])
        targets = {"dynamic": folder / f"dynamic-{name}.onnx", "static": folder / f"static-{name}.onnx"}
        if "ort-int8-dynamic" in peers and not targets["dynamic"].exists():
            quantize_dynamic(folder / f"plain-{name}.onnx", targets["dynamic"])
        if "ort-int8-static" in peers and not targets["static"].exists():
            quantize_static(folder / f"plain-{name}.onnx", targets["static"], window)
    if "ctranslate2" in peers and not (folder / "ctranslate2").exists():
        convert_ctranslate2(folder / "model", folder / "ctranslate2")
