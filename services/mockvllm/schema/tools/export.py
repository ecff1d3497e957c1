#!/usr/bin/env python3
"""Writes ../declared/schema.json: what vLLM's request models accept.

Run it by hand with the Python of an installed vLLM, after an upgrade: VENV/bin/python tools/export.py

It asks FastAPI's routers for the bodies that they bind, and walks pydantic's core schema of each. doc.go says what the
kinds of nodes mean. Schemas with a name of their own become definitions, so that nothing is written twice.
"""
import importlib, json, os, pathlib, sys

os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
import pydantic, vllm  # noqa: E402

# Where a body is bound, and the name it gets here.
ROUTES = [
    ("openai.chat_completion", "/v1/chat/completions", "ChatCompletionRequest"),
    ("openai.chat_completion", "/v1/chat/completions/batch", "BatchChatCompletionRequest"),
    ("openai.completion", "/v1/completions", "CompletionRequest"),
    ("openai.responses", "/v1/responses", "ResponsesRequest"),
    ("anthropic", "/v1/messages", "AnthropicMessagesRequest"),
    ("anthropic", "/v1/messages/count_tokens", "AnthropicCountTokensRequest"),
    ("serve.tokenize", "/tokenize", "TokenizeRequest"),
    ("serve.tokenize", "/detokenize", "DetokenizeRequest"),
    ("pooling.embed", "/v1/embeddings", "EmbeddingRequest"),
    ("pooling.embed", "/v2/embed", "CohereEmbedRequest"),
    ("pooling.pooling", "/pooling", "PoolingRequest"),
    ("pooling.classify", "/classify", "ClassificationRequest"),
    ("pooling.scoring", "/score", "ScoreRequest"),
    ("pooling.scoring", "/rerank", "RerankRequest"),
    ("scale_out.token_in_token_out", "/inference/v1/generate", "GenerateRequest"),
    ("scale_out.derender", "/v1/chat/completions/derender", "DerenderChatRequest"),
    ("scale_out.derender", "/v1/completions/derender", "DerenderCompletionRequest"),
    ("generate.generative_scoring", "/generative_scoring", "GenerativeScoringRequest"),
    ("generate.structured_decisions", "/v1/systemone", "StructuredDecisionRequest"),
]
# Models that are bound in a function that needs a running engine.
MODELS = [
    ("serve.lora.protocol", "LoadLoRAAdapterRequest"),
    ("serve.lora.protocol", "UnloadLoRAAdapterRequest"),
]

definitions, names, inlined = {}, {}, {}


def core_schemas():
    for package, path, name in ROUTES:
        router = importlib.import_module("vllm.entrypoints.%s.api_router" % package).router
        body = next(r for r in router.routes if r.path == path).body_field
        yield name, body._type_adapter.core_schema
    for module, name in MODELS:
        yield name, pydantic.TypeAdapter(getattr(importlib.import_module("vllm.entrypoints." + module), name)).core_schema


def named(wanted, node):
    """A reference to a definition. Equal definitions are one; different ones of the same name get a number."""
    text = json.dumps(node, sort_keys=True)
    if text in inlined:
        return {"t": "ref", "to": inlined[text]}
    name, n = wanted, 1
    while name in definitions:
        n += 1
        name = "%s#%d" % (wanted, n)
    definitions[name] = node
    inlined[text] = name
    return {"t": "ref", "to": name}


class Walk:
    """One core schema with its own definitions."""

    def __init__(self):
        self.schemas, self.config = {}, {}

    def fields(self, fields):
        out = []
        for name, f in fields:
            entry = {"name": name, "of": self.node(f["schema"])}
            alias = f.get("validation_alias")
            if alias:
                assert isinstance(alias, str), alias
                entry["alias"] = alias
            if f.get("required"):
                entry["required"] = True
            if f.get("init") is False:
                entry["no_init"] = True
            assert not f.get("init_only"), f
            out.append(entry)
        return out

    def node(self, s):
        kind = s["type"]
        build = getattr(self, kind.replace("-", "_"), None)
        if build is None:
            raise NotImplementedError("kind %s: %s" % (kind, {k: v for k, v in s.items() if k != "schema"}))
        node = build(s)
        if s.get("strict") and kind not in ("tagged-union",):
            node["strict"] = True
        return node

    def definitions(self, s):
        for d in s["definitions"]:
            self.schemas[d["ref"]] = d
        return self.node(s["schema"])

    def definition_ref(self, s):
        return self.node(self.schemas[s["schema_ref"]])  # none refers to itself in vLLM

    def plain(self, s, *limits):
        return {"t": s["type"], **{k: s[k] for k in limits if s.get(k) is not None}}

    def any(self, s): return self.plain(s)
    def bool(self, s): return self.plain(s)
    def none(self, s): return self.plain(s)
    def bytes(self, s): return self.plain(s, "min_length", "max_length")
    def int(self, s): return self.plain(s, "ge", "le", "gt", "lt", "multiple_of")
    def float(self, s): return self.plain(s, "ge", "le", "gt", "lt", "multiple_of", "allow_inf_nan")
    def str(self, s): return self.plain(s, "min_length", "max_length", "pattern")

    def literal(self, s):
        return {"t": "literal", "expected": s["expected"]}

    def enum(self, s):
        return named(s["cls"].__name__, {"t": "enum", "name": s["cls"].__name__, "sub_type": s.get("sub_type"),
                                         "expected": [m.value for m in s["members"]]})

    def nullable(self, s):
        return {"t": "nullable", "of": self.node(s["schema"])}

    def list(self, s):
        return {**self.plain(s, "min_length", "max_length"), "of": self.node(s.get("items_schema", {"type": "any"}))}

    def generator(self, s):
        return self.list(s)

    def tuple(self, s):
        assert s.get("variadic_item_index") is None, s
        return {"t": "tuple", "choices": [self.node(i) for i in s["items_schema"]]}

    def dict(self, s):
        return {**self.plain(s, "min_length", "max_length"), "keys": self.node(s.get("keys_schema", {"type": "any"})),
                "of": self.node(s.get("values_schema", {"type": "any"}))}

    def union(self, s):
        out = {"t": "union", "choices": [], "labels": []}
        for c in s["choices"]:
            c, label = c if isinstance(c, tuple) else (c, "")
            out["choices"].append(self.node(c))
            out["labels"].append(label)
        if not any(out["labels"]):
            del out["labels"]
        if s.get("mode", "smart") != "smart":
            out["mode"] = s["mode"]
        assert "custom_error_type" not in s
        return out

    def tagged_union(self, s):
        assert isinstance(s["discriminator"], str) and "custom_error_type" not in s, s
        return {"t": "tagged-union", "by": s["discriminator"], "tags": list(s["choices"]),
                "choices": [self.node(c) for c in s["choices"].values()]}

    def typed_dict(self, s):
        extra = s.get("extra_behavior") or s.get("config", {}).get("extra_fields_behavior") or "ignore"
        name = s.get("cls_name") or ("cls" in s and s["cls"].__name__) or "typed-dict"
        fields = self.fields(s["fields"].items())
        if s.get("total", s.get("config", {}).get("typed_dict_total", True)):
            for f, src in zip(fields, s["fields"].values()):
                if "required" not in src:
                    f["required"] = True
        return named(name, {"t": "typed-dict", "name": name, "extra": extra, "fields": fields})

    def model(self, s):
        assert not s.get("root_model") and not s.get("custom_init") and not s.get("generic_origin"), s["cls"]
        self.config = s.get("config", {})
        post = s.get("post_init")
        name = s["cls"].__name__
        node = {"t": "model", "name": name, "of": self.node(s["schema"])}
        if post and post != "init_private_attributes":
            node["fn"] = "%s.%s" % (name, post)
        return named(name, node)

    def model_fields(self, s):
        config = self.config
        assert not config.get("str_strip_whitespace") and not config.get("strict"), config
        extra = s.get("extra_behavior") or config.get("extra_fields_behavior") or "ignore"
        node = {"t": "model-fields", "name": s["model_name"], "extra": extra}
        if config.get("validate_by_name") or config.get("populate_by_name"):
            node["by_name"] = True
        assert config.get("validate_by_alias") is not False
        node["fields"] = self.fields(s["fields"].items())
        return node

    def dataclass(self, s):
        name = s["cls"].__name__
        node = {"t": "dataclass", "name": name, "of": self.node(s["schema"])}
        if s.get("post_init"):
            node["fn"] = name + ".__post_init__"
        return named(name, node)

    def dataclass_args(self, s):
        return {"t": "dataclass-args", "name": s["dataclass_name"], "extra": s.get("extra_behavior", "ignore"),
                "fields": self.fields((f["name"], f) for f in s["fields"])}

    def function(self, s):
        f = s["function"]["function"]
        while hasattr(f, "func"):  # a functools.partial
            f = f.func
        f = getattr(f, "__func__", f)
        owner = getattr(s["function"]["function"], "__self__", None)
        name = f.__qualname__
        if isinstance(owner, type):  # a class method is told apart by the class that inherits it
            name = owner.__name__ + "." + f.__name__
        node = {"t": s["type"], "fn": name, "label": f.__name__}
        if "schema" in s:
            node["of"] = self.node(s["schema"])
        return node

    function_before = function_after = function_wrap = function_plain = function

    def default(self, s):
        node = {"t": "default", "of": self.node(s["schema"])}
        assert s.get("on_error", "raise") == "raise" and not s.get("validate_default") and not s.get("default_factory_takes_data")
        if "default_factory" in s:
            value = s["default_factory"]()
            if value in ([], {}):
                node["value"] = value
            else:
                node["factory"] = getattr(s["default_factory"], "__qualname__", "").replace("<lambda>", "lambda") or "factory"
        elif "default" in s:
            value = s["default"]
            node["value"] = getattr(value, "value", value)
        return node

    def json_or_python(self, s):
        return {"t": "json-or-python", "choices": [self.node(s["json_schema"]), self.node(s["python_schema"])]}

    def chain(self, s):
        return {"t": "chain", "choices": [self.node(c) for c in s["steps"]]}

    def is_instance(self, s):
        return {"t": "is-instance", "name": s.get("cls_repr") or s["cls"].__name__}


def write(out):
    """One definition a line."""
    lines = ['"vllm": %s' % json.dumps(vllm.__version__), '"pydantic": %s' % json.dumps(pydantic.VERSION)]
    for part in ("models", "definitions"):
        entries = ",\n".join("%s: %s" % (json.dumps(k), json.dumps(v, separators=(",", ":"))) for k, v in out[part].items())
        lines.append('"%s": {\n%s\n}' % (part, entries))
    return "{" + ",\n".join(lines) + "}\n"


def main():
    models = {name: Walk().node(schema) for name, schema in core_schemas()}
    target = pathlib.Path(__file__).parent.parent / "declared" / "schema.json"
    target.write_text(write({"models": models, "definitions": definitions}))
    json.loads(target.read_text())
    print("%d definitions, %d bytes" % (len(definitions), target.stat().st_size), file=sys.stderr)


if __name__ == "__main__":
    main()
