// Server-sent events as the HTML standard describes them (https://html.spec.whatwg.org/multipage/server-sent-events.html),
// of which the OpenAI API uses the data alone.

/** Cuts a stream of bytes into the data of its events. */
export class EventParser {
  #decoder = new TextDecoder(); // takes a leading byte order mark away and keeps halves of characters
  #rest = ""; // of a line whose end has not come
  #afterCR = false; // a line feed that comes next belongs to the line end before
  /** @type {string[]} */
  #data = [];

  /**
   * Takes the next bytes and returns the data of the events that they complete. What follows the last empty line when
   * the stream ends is no event.
   * @param {Uint8Array} bytes
   * @returns {string[]}
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return [];
    if (this.#afterCR && text.startsWith("\n")) text = text.slice(1);
    this.#afterCR = text.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  /**
   * @param {string} line
   * @returns {string[]} the event that the line completes, if any
   */
  #line(line) {
    if (line === "") {
      const data = this.#data;
      this.#data = [];
      return data.length > 0 ? [data.join("\n")] : [];
    }
    const colon = line.indexOf(":"); // at 0 in comments
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field === "data") this.#data.push(colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, ""));
    return [];
  }
}
