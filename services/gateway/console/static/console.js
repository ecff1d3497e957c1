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

let shown = ""; // the models on the page, as JSON: rows are made anew only when something changed, so that buttons keep the focus

async function refresh() {
  try {
    const response = await ask("/api/llm/models");
    if (response.status === 403) return await choose(); // a key for the models alone: they can be asked, not managed
    if (!response.ok) throw new Error(await failure(response));
    show((await response.json()).models ?? [], row);
    byId("notice").textContent = "";
    if (!byId("logs").hidden) await logs(byId("logs-of").textContent);
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

// choose offers the models that the key may ask, and says why there is nothing to manage.
async function choose() {
  const response = await ask("/v1/models");
  if (!response.ok) throw new Error(await failure(response));
  show((await response.json()).data ?? []);
  byId("notice").textContent = "This key is not for managing models.";
}

function show(models, row) {
  const json = JSON.stringify(models);
  if (json === shown) return;
  shown = json;
  byId("models").replaceChildren(...(row ? models.map(row) : []));
  const select = byId("model");
  const chosen = select.value;
  select.replaceChildren(...models.map((m) => new Option(m.id, m.id)));
  const offered = models.find((m) => m.id === chosen) ?? models.find((m) => m.phase === "ready");
  if (offered) select.value = offered.id;
  curl();
}

const down = ["stopped", "failed"]; // phases in which there is nothing to stop

function row(model) {
  const tr = document.createElement("tr");
  const cell = (text, style) => {
    const td = tr.insertCell();
    td.textContent = text ?? "";
    if (style) td.className = style;
  };
  const servers = model.instances ?? [];
  cell(model.id);
  cell(model.phase, model.phase);
  cell(`${servers.filter((s) => s.phase === "ready").length} of ${servers.length}`);
  cell(model.restarts);
  cell(model.message || (model.reason === "OnDemand" ? "the first request for it starts it" : model.reason));
  const actions = tr.insertCell();
  const add = (action, act) => {
    const button = document.createElement("button");
    button.textContent = action;
    button.addEventListener("click", act);
    actions.append(button);
  };
  const ours = model.driver !== "external"; // what somebody else runs can only be taken out of rotation
  for (const action of down.includes(model.phase) ? ["start"] : ours ? ["stop", "restart"] : ["stop"]) add(action, () => manage(model.id, action));
  if (ours) add("logs", () => logs(model.id));
  return tr;
}

// logs shows the last lines of a model's servers, and keeps to their end unless somebody has scrolled up.
async function logs(id) {
  const response = await ask(`/api/llm/models/${encodeURIComponent(id)}/logs?lines=200`, { headers: { Accept: "application/json" } });
  const text = response.ok
    ? ((await response.json()).lines ?? []).map((l) => l.line).join("\n") || "It has printed nothing yet."
    : await failure(response);
  const lines = byId("lines");
  const atEnd = byId("logs").hidden || lines.scrollTop + lines.clientHeight > lines.scrollHeight - 20;
  byId("logs").hidden = false;
  byId("logs-of").textContent = id;
  lines.textContent = text;
  if (atEnd) lines.scrollTop = lines.scrollHeight;
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
  for (const id of ["answer", "thought", "pace"]) byId(id).textContent = "";
  byId("stop").disabled = false;
  const begun = performance.now();
  let first, usage;
  try {
    const response = await ask("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...question(), stream: true, stream_options: { include_usage: true } }),
      signal: mine.signal,
    });
    if (!response.ok) throw new Error(await failure(response));
    for await (const data of events(response.body)) {
      if (data === "[DONE]") return pace(begun, first, usage);
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      usage = chunk.usage ?? usage;
      const { content, reasoning } = chunk.choices?.[0]?.delta ?? {};
      if (content || reasoning) first ??= performance.now();
      byId("thought").append(reasoning ?? "");
      answer.append(content ?? "");
    }
    throw new Error("The answer broke off before its end.");
  } catch (error) {
    if (error.name !== "AbortError") answer.append(`${answer.textContent && "\n"}[${error.message}]`);
  } finally {
    if (running === mine) byId("stop").disabled = true;
  }
}

function question() {
  return { model: byId("model").value, messages: [{ role: "user", content: byId("prompt").value || byId("prompt").placeholder }] };
}

// pace tells what the person has waited for, by this page's clock.
function pace(begun, first, usage) {
  const end = performance.now();
  const tokens = usage?.completion_tokens ?? 0;
  const parts = [`${usage?.prompt_tokens ?? "?"} tokens in, ${tokens} out`];
  if (first) parts.push(`first token after ${Math.round(first - begun)} ms`);
  if (first && tokens > 1 && end > first) parts.push(`${Math.round((tokens - 1) / (end - first) * 1000)} tokens/s`);
  byId("pace").textContent = parts.join(", ");
}

// curl writes the question on the page as a command for a shell.
function curl() {
  const quoted = JSON.stringify(question()).replaceAll("'", "'\\''");
  const key = sessionStorage.getItem(keyName) ? ' -H "Authorization: Bearer $KEY"' : "";
  byId("curl").textContent = `curl ${location.origin}/v1/chat/completions -H 'Content-Type: application/json'${key} \\\n  -d '${quoted}'`;
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

byId("base").textContent = `${location.origin}/v1`;
byId("login").addEventListener("submit", login);
byId("chat").addEventListener("submit", chat);
byId("chat").addEventListener("input", curl);
byId("prompt").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId("chat").requestSubmit();
});
byId("stop").addEventListener("click", () => running?.abort());
byId("logs-close").addEventListener("click", () => (byId("logs").hidden = true));
refresh();
setInterval(refresh, refreshEvery);
