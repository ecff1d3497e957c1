#!/usr/bin/env python3.11
"""Writes python.jsonl: what Python 3.11's json module, repr and isprintable say. Run it by hand: python3.11 make.py

Lines: {"doc": the document's bytes as latin-1, and one of
        "repr" and "dumps" (what it was read as), "error" (str of the JSONDecodeError), "undecodable": true}
       {"float": the bits as hex, "repr"}
       {"block": a character, "printable": CRC-32 of 4096 bytes, each 1 where a character from there on is printable}
"""
import json, pathlib, random, struct, sys, zlib

assert sys.version_info[:2] == (3, 11), "needs Python 3.11"
random.seed(11)
sys.setrecursionlimit(100_000)  # the nesting limit depends on the server's stack and is tested elsewhere

DOCS = [r'''{"model":"tiny","messages":[{"role":"user","content":"Hi \"you\"\n"}],"n":2,"temperature":0.5,"stream":true,"stop":null}''',
        r'''[0,-0,0.0,-0.0,1e5,1E+5,1.5e-7,1e400,-1e400,1e16,123456789012345678901234567890,NaN,Infinity,-Infinity,5e-324]''',
        r'''["\ud83d\ude00","\ud83d","\ude00","\ud83dx","\ud83d\u0041","\ud83d\ud83d\ude00","\/\b\f\n\r\t\u0000\u007f\u0085\u00ad\u2028\ufeff\uffff\u0378"]''',
        '''{"a":1,"b":2,"a":3,"":{"x":[]},"é":"ü😀\u2028\u00a0","'":"\\"'","q":"it's"}''', "[1,]", '{"a":1,}', "{x}", "'a'", "nul", "nan", "-", "-x",
        "01", "1.", "1.e5", "1e", "1e+", "[1 2]", '{"a" 1}', '{"a":}', '"abc', '"abc\\', r'"\x"', r'"\u12"', r'"\u12g4"', r'"\u1234',
        r'"\ud83d\u12g4"', r'"\ud83d\u"', r'"\ud83d\u123"', r'"\ud83d\u', r'"\ud83d\ude00', '"a\x01"', '"é\n"', "\n\n [1,\n x]", "é", "", " ", "[", "{", "[1", '{"a"', '{"a":1',
        "\ufeff{}", "[1]]", "{} x", "\u00a01", "1\x00", '"\x7f"', "+1", ".5", "Infinit", "-Infinit", "tru", "True", "[[[[]]]]", "1" * 4300, "1" * 4301, "-" + "1" * 4301, "1" * 4301 + ".0"]


def documents():
    yield from (d.encode() for d in DOCS)
    sample = '{"é":"😀", "b": [1]}'
    for codec in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig"):
        yield sample.encode(codec)
        yield sample.encode(codec)[:-1]
        yield '["\ud83d"]'.encode(codec, "surrogatepass")
        yield "1".encode(codec)
    yield b"\xfe\xff" + sample.encode("utf-16-be")
    yield b"\x00\x00\xfe\xff" + sample.encode("utf-32-be")
    yield '["\ud83d\ude00"]'.encode("utf-8", "surrogatepass")
    yield from (b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0"', b'"\xf4\x90\x80\x80"', b'"\xe9"', b"\x00", b"\x00\x00\x00\x00", b"\xef\xbb\xbf\xef\xbb\xbf1", b"1\x00\x001", b"\xff\xfe")
    for _ in range(250):  # a good document with a few bytes changed
        doc = bytearray(random.choice(DOCS[:4]).encode())
        for _ in range(random.choice((1, 1, 2))):
            at = random.randrange(len(doc) or 1)
            kind = random.randrange(3)
            if kind == 0:
                doc[at:at + 1] = b""
            elif kind == 1:
                doc[at:at + 1] = b"%c" % random.choice(b'{}[]",:\\u0e.-n \n\x00\xed')
            else:
                del doc[at:]
        yield bytes(doc)


def line(doc):
    entry = {"doc": doc.decode("latin-1")}
    try:
        value = json.loads(doc)
        entry["repr"] = repr(value)
        entry["dumps"] = json.dumps(value)
    except json.JSONDecodeError as e:
        entry["error"] = str(e)
    except ValueError:
        entry["undecodable"] = True
    return entry




def floats():
    for f in (0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 123456789012345680.0, 1e-4, 9.999e-5, 1e22, 1e23, 5e-324, 1.7976931348623157e308, 2.5, 1e100, 1 / 3):
        yield f
    for _ in range(60):
        yield struct.unpack("<d", random.randbytes(8))[0]
    for _ in range(40):
        yield random.uniform(-3, 3) * 10 ** random.randrange(-8, 20)


with open(pathlib.Path(__file__).with_name("python.jsonl"), "w") as out:
    for entry in map(line, documents()):
        out.write(json.dumps(entry) + "\n")
    for f in floats():
        out.write(json.dumps({"float": struct.pack(">d", f).hex(), "repr": repr(f)}) + "\n")
    for block in range(0, 0x110000, 4096):
        bits = bytes(chr(c).isprintable() for c in range(block, block + 4096))
        if any(bits):
            out.write(json.dumps({"block": block, "printable": zlib.crc32(bits)}) + "\n")
