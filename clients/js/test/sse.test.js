// The parser of server-sent events, with the bytes cut anywhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../src/sse.js";

/** @type {[name: string, stream: string, want: string[]][]} */
const cases = [
  ["line feeds", "data: a\n\ndata: b\n\n", ["a", "b"]],
  ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
  ["carriage returns", "data: a\r\rdata: b\r\r", ["a", "b"]],
  ["all of them", "data: a\r\n\ndata: b\n\rdata: c\r\r\ndata: d\n\n", ["a", "b", "c", "d"]],
  ["several lines of data", "data: a\ndata:\r\ndata: b\n\n", ["a\n\nb"]],
  ["one space is taken away", "data:  a \n\ndata:b\n\n", [" a ", "b"]],
  ["data without a colon", "data\n\ndata\ndata\n\n", ["", "\n"]],
  ["comments", ": keep alive\n\ndata: a\n: b\n\n:\n\n", ["a"]],
  ["other fields", "event: x\nid: 1\nretry: 5\ndata: a\ndatum: b\n data: c\n\n", ["a"]],
  ["an event without data", "event: x\n\ndata: a\n\n", ["a"]],
  ["a byte order mark", "\ufeffdata: a\n\n", ["a"]],
  ["only the first mark is one", "\ufeff\ufeffdata: a\n\ndata: b\ufeff\n\n", ["b\ufeff"]],
  ["long characters", "data: Grüße 🌍 – ok\n\n", ["Grüße 🌍 – ok"]],
  ["line separators of Unicode end no line", "data: a\u2028b\u0085c\n\n", ["a\u2028b\u0085c"]],
  ["an unfinished event", "data: a\n\ndata: b\n", ["a"]],
  ["an unfinished line", "data: a\n\ndata: b", ["a"]],
];

for (const [name, stream, want] of cases) {
  test(name, () => {
    const bytes = new TextEncoder().encode(stream);
    for (let size = 1; size <= bytes.length; size++) {
      const parser = new EventParser();
      const got = [];
      for (let at = 0; at < bytes.length; at += size) got.push(...parser.push(bytes.subarray(at, at + size)));
      assert.deepEqual(got, want, `in pieces of ${size} bytes`);
    }
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new EventParser();
      assert.deepEqual([...parser.push(bytes.subarray(0, cut)), ...parser.push(bytes.subarray(cut))], want, `cut at ${cut}`);
    }
  });
}

test("an event comes with its last byte", () => {
  for (const end of ["\n\n", "\r\r"]) assert.deepEqual(new EventParser().push(new TextEncoder().encode(`data: a${end}`)), ["a"]);
});
