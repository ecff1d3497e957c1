#!/usr/bin/env python3
"""Writes a table of bodies and of what vLLM says to them, for the test of this package.

Run it by hand with the Python of an installed vLLM:

    VENV/bin/python tools/differ.py OUT N [MODEL ...] [--seed S] [--short]
    SCHEMA_TABLE=OUT go test -run AsVLLM .

It makes N bodies for each model: good ones by schema.json, then broken in a place or two. They go through FastAPI's own
TypeAdapter of the route and vLLM's own exception handlers. --short keeps small lines of all kinds only; so was
testdata/table.jsonl made: tools/differ.py testdata/table.jsonl 250 --seed 1 --short
"""
import asyncio, dataclasses, enum, json, pathlib, random, re, sys, types

import export
import pydantic
from fastapi._compat.v2 import _regenerate_error_with_loc
from fastapi.exceptions import RequestValidationError
from vllm.entrypoints.serve.exception_handling.handlers.exception import exception_handler
from vllm.entrypoints.serve.exception_handling.handlers.validation import validation_exception_handler

SCHEMA = json.loads((pathlib.Path(__file__).parent.parent / "declared" / "schema.json").read_text())
REQUEST = types.SimpleNamespace(app=types.SimpleNamespace(state=types.SimpleNamespace(args=types.SimpleNamespace(log_error_stack=False))))

NUMBERS = [0, 1, -1, 2, 5, 16, 100, 1024, 2000, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**25, 10**400, 0.0, -0.0, 0.5, 1.0, 2.0, -1.0, 1e-7, 1e22, 1e300,
           float("nan"), float("inf"), 9.3e18, 1.5]
NUMERIC = ["5", " 5 ", "+5", "-5", "+-5", "--5", "05", "0", "-0", "00", "5.0", "5.", "5.00", "05.0", ".5", "0.5", "1_000", "1__0", "_1", "1_", "0_1", "1e3", "-1e-3", "1E5", "0x5", "٣",
           "inf", "-Infinity", "NaN", "nan", "\t7\n", "\u00a07", "9" * 20, "9" * 4301, "1_0.5", "- 5", "1.5", "true", "TRUE", "yes", "oFf", "n", "t", "1", ""]
STRINGS = ["", "x", "hello", "it's", 'say "hi"', "both ' and \"", "é😀\u2028", "\x00\x7f\x85", "\ud83d", "a" * 199, "a" * 201, "b" * 1100, "/home/user/x.txt", "/a/b.c d/e.f", "text", "user", "str", "list[x]",
           "none", "auto", "required", "<x at 0xdeadbeef>", "back\\slash\n"]
WORDS = sorted({w for w in re.findall(r'"expected":\["([^"]+)"', json.dumps(SCHEMA, separators=(",", ":")))})
KEYS = sorted(set(re.findall(r'"name":"([A-Za-z_0-9]+)","of"', json.dumps(SCHEMA, separators=(",", ":")))))


def anything(depth=0):
    """A value of any type."""
    kind = random.randrange(11 if depth < 3 else 8)
    if kind == 0:
        return None
    if kind == 1:
        return random.choice((True, False))
    if kind in (2, 3):
        return random.choice(NUMBERS)
    if kind == 4:
        return random.choice(NUMERIC)
    if kind == 5:
        return random.choice(WORDS)
    if kind in (6, 7):
        return random.choice(STRINGS)
    if kind in (8, 9):
        return [anything(depth + 1) for _ in range(random.choice((0, 0, 1, 1, 2, 3)))]
    return {random.choice((*KEYS, "x", "type", "", "é", "a[b", "int")): anything(depth + 1) for _ in range(random.choice((0, 1, 1, 2, 3)))}


class Maker:
    """Makes values that fit a node, most of the time."""

    def __init__(self, wrong):
        self.wrong, self.depth = wrong, 0

    def make(self, n):
        if random.random() < self.wrong:
            return anything()
        self.depth += 1
        try:
            return getattr(self, n["t"].replace("-", "_"))(n)
        finally:
            self.depth -= 1

    def any(self, n): return anything(1) if random.random() < 0.5 else random.choice(("x", 1, {}))
    def bool(self, n): return random.choice((True, False, True, "yes", 0, 1))
    def none(self, n): return None
    def bytes(self, n): return "QUJD"
    def literal(self, n): return random.choice(n["expected"])
    def enum(self, n): return random.choice(n["expected"])
    def nullable(self, n): return None if random.random() < 0.15 else self.make(n["of"])
    def default(self, n): return self.make(n["of"])
    def chain(self, n): return self.make(n["choices"][-1])
    def json_or_python(self, n): return self.make(n["choices"][0])
    def is_instance(self, n): return anything()
    def ref(self, n): return self.make(SCHEMA["definitions"][n["to"]])
    def model(self, n): return self.make(n["of"])
    def dataclass(self, n): return self.make(n["of"])
    def function_after(self, n): return self.make(n["of"])
    def function_before(self, n): return self.make(n["of"])
    def function_wrap(self, n): return self.make(n["of"])

    def int(self, n):
        return random.choice((n.get("ge", 1), n.get("le", 2), n.get("ge", 0) - 1, n.get("le", 5) + 1, 1, 2, 3, 10, "7", 4.0, True))

    def float(self, n):
        return random.choice((n.get("ge", 0.5), n.get("le", 1.5), n.get("ge", 0) - 1, 0.1, 1, 1.0, "0.5", 2, -1.5))

    def str(self, n):
        return "a" * (n.get("min_length", 1) + random.choice((0, 1, -1))) if random.random() < 0.1 else random.choice(("x", "hello", "é", "tiny"))

    def list(self, n):
        most = 2 if self.depth > 8 else 3
        size = random.choice((0, 1, 1, 2, most, n.get("max_length", 1) + random.choice((0, 1)), n.get("min_length", 1)))
        return [self.make(n["of"]) for _ in range(min(size, 6))]

    generator = list

    def tuple(self, n): return [self.make(c) for c in n["choices"]]

    def dict(self, n):
        return {str(self.make(n["keys"])): self.make(n["of"]) for _ in range(random.choice((0, 1, 2)))}

    def union(self, n): return self.make(random.choice(n["choices"]))

    def tagged_union(self, n):
        at = random.randrange(len(n["choices"]))
        value = self.make(n["choices"][at])
        if isinstance(value, dict) and random.random() < 0.9:
            value[n["by"]] = n["tags"][at]
        return value

    def typed_dict(self, n):
        out = {}
        for f in n["fields"]:
            need = f.get("required") or (n["t"] != "typed-dict" and f["of"]["t"] != "default")
            if random.random() < (0.97 if need else 0.8 / (1 + len(n["fields"]) / 6)):
                out[f.get("alias", f["name"]) if random.random() < 0.9 else f["name"]] = self.make(f["of"])
        if random.random() < 0.1:
            out[random.choice((*KEYS, "x", "a[b"))] = anything(2)
        if random.random() < 0.2:
            out = dict(random.sample(list(out.items()), len(out)))
        return out

    model_fields = dataclass_args = typed_dict


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for k, v in items:
        yield from places(v, (*path, k))


def broken(value):
    """value with one place changed."""
    path = random.choice(list(places(value)))
    if not path:
        return anything() if random.random() < 0.1 else value
    inner = value
    for k in path[:-1]:
        inner = inner[k]
    key, kind = path[-1], random.randrange(6)
    if kind == 0:
        del inner[key]
    elif kind == 1:
        inner[key] = [inner[key]]
    elif kind == 2:
        inner[key] = None
    elif kind == 3 and isinstance(inner, dict):
        inner[random.choice(KEYS)] = inner.pop(key)
    elif kind == 4 and isinstance(inner[key], list) and inner[key]:
        inner[key] = inner[key] * random.choice((2, 5))
    else:
        inner[key] = anything()
    return value


def body(node):
    value = Maker(random.choice((0, 0, 0.01, 0.03, 0.1))).make(node)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        value = broken(value)
    return value


DATACLASSES = set()


def dump(v):
    """What the Go test writes, too."""
    if isinstance(v, pydantic.BaseModel):
        out = {"=": type(v).__name__}
        for name, field in type(v).model_fields.items():
            value = v.__dict__[name]
            given = name in v.model_fields_set and name not in (v.__pydantic_extra__ or ())
            random_default = not given and isinstance(value, str) and field.default_factory is not None
            out[name] = "random" if random_default else dump(value)
            if given:
                out["+" + name] = True
        return out
    if type(v).__name__ == "SamplingParams":
        return "SamplingParams"
    if dataclasses.is_dataclass(v):
        return {"=": type(v).__name__, **{f.name: dump(getattr(v, f.name)) for f in dataclasses.fields(v)}}
    if isinstance(v, enum.Enum):
        return v.value
    if isinstance(v, bytes):
        return v.decode()
    if isinstance(v, str):
        return re.sub(r"^(rs|msg)_[0-9a-f]{16}$", r"\1_", v)
    if isinstance(v, dict):
        return {k: dump(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [dump(x) for x in v]
    if type(v).__name__ == "ValidatorIterator":
        try:
            return dump(list(v))
        except Exception as e:
            return "late: " + clean(str(e))
    assert v is None or isinstance(v, (bool, int, float)), repr(v)
    return v


def clean(text):
    from vllm.entrypoints.serve.exception_handling.utils import sanitize_message
    return sanitize_message(text)


def adapters():
    import importlib
    for package, path, name in export.ROUTES:
        router = importlib.import_module("vllm.entrypoints.%s.api_router" % package).router
        yield name, next(r for r in router.routes if r.path == path).body_field._type_adapter
    for module, name in export.MODELS:
        yield name, pydantic.TypeAdapter(getattr(importlib.import_module("vllm.entrypoints." + module), name))


def answer(adapter, text):
    value = json.loads(text)
    try:
        if value is None:
            raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
        try:
            return {"Dump": json.dumps(dump(adapter.validate_python(value, from_attributes=True)))}
        except pydantic.ValidationError as e:
            raise RequestValidationError(_regenerate_error_with_loc(errors=e.errors(include_url=False), loc_prefix=("body",)))
    except RequestValidationError as e:
        response = validation_exception_handler(REQUEST, e)
    except Exception as e:
        response = exception_handler(REQUEST, e)
    try:
        response = asyncio.run(response)
    except UnicodeEncodeError as e:  # half of a pair in the answer
        response = asyncio.run(exception_handler(REQUEST, e))
    error = json.loads(response.body)["error"]
    return {"Status": response.status_code, "Type": error["type"], "Param": error["param"] or "", "Message": error["message"]}


def main():
    args = sys.argv[1:]
    short = "--short" in args
    seed = int(args[args.index("--seed") + 1]) if "--seed" in args else random.randrange(10**6)
    names = [a for a in args[2:] if a in SCHEMA["models"]] or list(SCHEMA["models"])
    found = dict(adapters())
    with open(args[0], "w") as out:
        for name in names:
            random.seed("%d %s" % (seed, name))
            seen = set()
            for _ in range(int(args[1])):
                text = json.dumps(body(SCHEMA["models"][name]))
                said = answer(found[name], text)
                line = json.dumps({"Model": name, "Body": text, **said})
                if short:
                    kinds = frozenset(re.findall(r"'type': '(\w+)'", said.get("Message", "")) or [said.get("Message", "good")[:30]])
                    if len(line) > 700 or kinds in seen:
                        continue
                    seen.add(kinds)
                out.write(line + "\n")
    print("seed %d" % seed, file=sys.stderr)


main()
