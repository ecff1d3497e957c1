#!/usr/bin/env python3
"""Gives the tiny model its weights: weights.py MODEL_DIR.

MODEL_DIR holds config.json and tokenizer.json; model.safetensors and the LoRA adapter lora/ are added. The numbers are random
and the same each time, so embeddings and scores can be compared between machines. The model has to be readable, not wise.
"""
import json
import pathlib
import sys

import numpy
from safetensors.numpy import save_file

SEED = 20
RANK = 8  # of the adapter


def main(folder):
    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    width, inner, vocabulary = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    layers = range(config["num_hidden_layers"])
    numbers = numpy.random.default_rng(SEED)

    def matrix(rows, columns, deviation):
        return numbers.normal(0.0, deviation, (rows, columns)).astype(numpy.float32)

    # The first number of a hidden state is the same for every token and no layer adds to it. So the first column of the
    # output matrix is a bias, which the architecture itself does not have.
    embedding = matrix(vocabulary, width, 1.0)
    embedding[:, 0] = 8.0
    tensors = {"model.embed_tokens.weight": embedding, "model.norm.weight": numpy.ones(width, numpy.float32)}
    for layer in layers:
        attention, mlp = f"model.layers.{layer}.self_attn", f"model.layers.{layer}.mlp"
        for norm in "input_layernorm", "post_attention_layernorm":
            tensors[f"model.layers.{layer}.{norm}.weight"] = numpy.ones(width, numpy.float32)
        for name in "q_proj", "k_proj", "v_proj", "o_proj":
            tensors[f"{attention}.{name}.weight"] = matrix(width, width, 0.15)
        tensors[f"{mlp}.gate_proj.weight"] = matrix(inner, width, 0.15)
        tensors[f"{mlp}.up_proj.weight"] = matrix(inner, width, 0.15)
        tensors[f"{mlp}.down_proj.weight"] = matrix(width, inner, 0.15)
        for last in f"{attention}.o_proj.weight", f"{mlp}.down_proj.weight":
            tensors[last][0] = 0.0
    output = matrix(vocabulary, width, 0.3)
    output[:, 0] = bias(tokenizer, vocabulary)
    tensors["lm_head.weight"] = output
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    adapter = {}
    for layer in layers:
        query = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        adapter[f"{query}.lora_A.weight"] = matrix(RANK, width, 0.3)
        adapter[f"{query}.lora_B.weight"] = matrix(width, RANK, 0.3)
    (folder / "lora").mkdir(exist_ok=True)
    save_file(adapter, folder / "lora" / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK, "target_modules": ["q_proj"],
                "bias": "none", "base_model_name_or_path": "tiny"}
    (folder / "lora" / "adapter_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def bias(tokenizer, vocabulary):
    """Keeps the model from special tokens, tool and thinking marks and broken UTF-8, unless a request asks for them."""
    values = numpy.zeros(vocabulary, numpy.float32)
    for token, i in tokenizer["model"]["vocab"].items():
        printable = all("!" <= c <= "~" or c in "ĠĊ" for c in token)  # byte-level BPE writes space and newline so
        values[i] = -4.0 if not printable else -0.3 if len(token) == 1 else 0.0
    for token in tokenizer["added_tokens"]:
        values[token["id"]] = -4.0
    return values


main(pathlib.Path(sys.argv[1]))
