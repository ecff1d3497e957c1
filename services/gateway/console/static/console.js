"use strict";

const refreshEvery = 2000; // milliseconds
const byId = (id) => document.getElementById(id);

// The key is asked for when the gateway wants one, and kept as long as this tab is open.
const keyName = "fluidmcp.key";

// ask is fetch with the key. It shows the field for the key when the gateway refuses what it was given, or nothing, so that a person
// can give another.
async function ask(path, options = {}) {
  const key = sessionStorage.getItem(keyName);
  const headers = key ? { ...options.headers, Authorization: `Bearer ${key}` } : options.headers;
  const response = await fetch(path, { ...options, headers });
  if (response.status === 401 || response.status === 403) byId("login").hidden = false;
  return response;
}

function login(event) {
  event.preventDefault();
  sessionStorage.setItem(keyName, byId("key").value.trim());
  byId("key").value = "";
  byId("login").hidden = true;
  refresh();
}

// refusal reads an error envelope.
async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  return body.error ?? { message: `${response.status} ${response.statusText}` };
}

async function failure(response) {
  return (await refusal(response)).message;
}

async function refresh() {
  try {
    const response = await ask("/api/llm/models");
    if (response.status === 403) return await choose(); // a key for the models alone: they can be asked, not managed
    if (!response.ok) throw new Error(await failure(response));
    const { models } = await response.json();
    byId("models").replaceChildren(...(models ?? []).map(row));
    offer(models ?? []);
    byId("notice").textContent = "";
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

// choose offers the models that the key may ask, and says why there is nothing to manage.
async function choose() {
  const response = await ask("/v1/models");
  if (!response.ok) throw new Error(await failure(response));
  byId("models").replaceChildren();
  offer((await response.json()).data ?? []);
  byId("notice").textContent = "This key is not for managing models.";
}

function offer(models) {
  const select = byId("model");
  const chosen = select.value;
  select.replaceChildren(...models.map((m) => new Option(m.id, m.id)));
  if (models.some((m) => m.id === chosen)) select.value = chosen;
}

function row(model) {
  const tr = document.createElement("tr");
  const cell = (text, style) => {
    const td = tr.insertCell();
    td.textContent = text ?? "";
    if (style) td.className = style;
  };
  cell(model.id);
  cell(model.phase, model.phase);
  cell(model.restarts);
  cell([model.reason, model.message].filter(Boolean).join(": "));
  const actions = tr.insertCell();
  for (const action of ["start", "stop", "restart"]) {
    const button = document.createElement("button");
    button.textContent = action;
    button.addEventListener("click", () => manage(model.id, action));
    actions.append(button);
  }
  return tr;
}

// manage does something with a model. A restart that would interrupt it is for the person to decide.
async function manage(id, action, query = "") {
  const response = await ask(`/api/llm/models/${encodeURIComponent(id)}/${action}${query}`, { method: "POST" });
  if (response.ok) return refresh();
  const { code, message } = await refusal(response);
  if (code === "would_interrupt" && confirm(`${id} will not answer until it has started anew. Restart it?`)) return manage(id, action, "?force=true");
  byId("notice").textContent = message;
}

let running = null; // AbortController of the answer on the screen

async function chat(event) {
  event.preventDefault();
  running?.abort();
  const mine = (running = new AbortController());
  const answer = byId("answer");
  answer.textContent = "";
  byId("stop").disabled = false;
  try {
    const response = await ask("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        model: byId("model").value,
        stream: true,
        messages: [{ role: "user", content: byId("prompt").value || byId("prompt").placeholder }],
      }),
      signal: mine.signal,
    });
    if (!response.ok) throw new Error(await failure(response));
    for await (const data of events(response.body)) {
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      answer.append(chunk.choices?.[0]?.delta?.content ?? "");
    }
    throw new Error("The answer broke off before its end.");
  } catch (error) {
    if (error.name !== "AbortError") answer.append(`\n[${error.message}]`);
  } finally {
    if (running === mine) byId("stop").disabled = true;
  }
}

// events yields the data of each server-sent event.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split(/\r?\n\r?\n/);
    rest = frames.pop();
    for (const frame of frames) {
      const data = frame.split(/\r?\n/).filter((l) => l.startsWith("data:")).map((l) => l.slice(5).trimStart());
      if (data.length) yield data.join("\n");
    }
  }
}

byId("login").addEventListener("submit", login);
byId("chat").addEventListener("submit", chat);
byId("stop").addEventListener("click", () => running?.abort());
refresh();
setInterval(refresh, refreshEvery);
