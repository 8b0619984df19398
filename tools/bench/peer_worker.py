# SPDX-License-Identifier: MIT
"""One peer in a process of its own, as utter-bench --on-demand is: a pass for each line of standard input.

usage: peer_worker.py PEER FOLDER WINDOW THREADS OUTPUT
"""

import os
import pathlib
import sys
import time

import numpy

from peer_models import load_torch, normalize


def ort(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda samples: session.run(["logits"], {"samples": samples})[0]


def pytorch(model, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    network = load_torch(model, "sdpa")
    return lambda samples: network(torch.from_numpy(samples)).logits.numpy()


def pytorch_compiled(model, threads):
    import torch
    import torch._inductor.config

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    torch._inductor.config.freezing = True
    network = torch.compile(load_torch(model, "sdpa"))
    return lambda samples: network(torch.from_numpy(samples)).logits.numpy()


def openvino(path, threads):
    import openvino as ov

    compiled = ov.Core().compile_model(ov.convert_model(path), "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    return lambda samples: request.infer([samples])[0]


def ctranslate2(path, threads):
    import ctranslate2 as ct

    model = ct.models.Wav2Vec2(str(path), device="cpu", intra_threads=threads, compute_type="float32")
    view = ct.StorageView.from_array
    return lambda samples: numpy.array(model.encode(view(samples[:, None]), to_cpu=True))


def load(peer, folder, window, threads):
    name = f"{window:g}"
    if peer == "torch":
        return pytorch(folder / "model", threads)
    if peer == "torch-compile":
        return pytorch_compiled(folder / "model", threads)
    if peer == "openvino":
        return openvino(folder / f"plain-{name}.onnx", threads)
    if peer == "ctranslate2":
        return ctranslate2(folder / "ctranslate2", threads)
    files = {"ort": "plain", "ort-attention": "fused", "ort-int8-dynamic": "dynamic", "ort-int8-static": "static"}
    return ort(folder / f"{files[peer]}-{name}.onnx", threads)


def main():
    peer, folder, window, threads, output = sys.argv[1:]
    folder, window, threads = pathlib.Path(folder), float(window), int(threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    samples = normalize(numpy.fromfile(folder / f"samples-{window:g}.f32", dtype=numpy.float32))[None]
    run = load(peer, folder, window, threads)
    for _ in range(2):
        logits = run(samples)
    numpy.asarray(logits, dtype=numpy.float32).tofile(output)
    print("ready", flush=True)
    for _ in sys.stdin:
        cpu, begin = time.process_time(), time.perf_counter()
        run(samples)
        print(f"{time.perf_counter() - begin:.9f} {time.process_time() - cpu:.9f}", flush=True)


if __name__ == "__main__":
    main()
