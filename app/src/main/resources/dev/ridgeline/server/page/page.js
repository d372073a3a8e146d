"use strict";
const $ = (id) => document.getElementById(id);
const messages = []; // {role, content, thought}
let running = null; // the AbortController of the answer under way

/* What is kept between visits: settings and theme, never a conversation. The key lives as long as the tab. */
const kept = (() => { try { return JSON.parse(localStorage.getItem("ridgeline") ?? "{}"); } catch { return {}; } })();
const FIELDS = ["system", "temperature", "top_k", "top_p", "min_p", "repeat_penalty", "max_tokens", "seed"];
for (const id of FIELDS) {
  if (kept[id] !== undefined) $(id).value = kept[id];
  $(id).addEventListener("change", keep);
}
$("key").value = sessionStorage.getItem("key") ?? "";
$("key").addEventListener("change", () => { sessionStorage.setItem("key", $("key").value); tellModel(); });
function keep() {
  for (const id of FIELDS) kept[id] = $(id).value;
  localStorage.setItem("ridgeline", JSON.stringify(kept));
}

function theme(value) {
  if (value) document.documentElement.dataset.theme = value;
  kept.theme = value;
}
theme(kept.theme);
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme(dark ? "light" : "dark");
  keep();
});

const headers = () => ({ "Content-Type": "application/json", ...($("key").value ? { Authorization: `Bearer ${$("key").value}` } : {}) });

async function failure(response) {
  try { return (await response.json()).error.message; } catch { return `the server answered ${response.status}`; }
}

async function tellModel() {
  try {
    const response = await fetch("/v1/models", { headers: headers() });
    $("model").textContent = response.ok ? (await response.json()).data[0].id : await failure(response);
  } catch { $("model").textContent = "not reachable"; }
}

function parameters() {
  const body = { stream: true, stream_options: { include_usage: true } };
  for (const id of FIELDS) if (id !== "system" && $(id).value !== "") body[id] = Number($(id).value);
  body.messages = messages.filter((m) => !m.error).map((m) => ({ role: m.role, content: m.content }));
  if ($("system").value.trim()) body.messages.unshift({ role: "system", content: $("system").value });
  return body;
}

/* The events of a stream, as JSON. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) if (part.startsWith("data: ") && part !== "data: [DONE]") yield JSON.parse(part.slice(6));
  }
}

async function answer() {
  const message = { role: "assistant", content: "", thought: "" };
  const body = parameters();
  messages.push(message);
  const item = show(message, messages.length - 1);
  item.classList.add("writing");
  item.setAttribute("aria-busy", "true");
  running = new AbortController();
  busy(true);
  const start = performance.now();
  let usage = null;
  let scheduled = false;
  try {
    const response = await fetch("/v1/chat/completions", { method: "POST", headers: headers(), body: JSON.stringify(body), signal: running.signal });
    if (!response.ok) throw new Error(await failure(response));
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      const delta = event.choices?.[0]?.delta;
      message.content += delta?.content ?? "";
      message.thought += delta?.reasoning_content ?? "";
      usage = event.usage ?? usage;
      if (!scheduled) {
        scheduled = true;
        requestAnimationFrame(() => { scheduled = false; fill(item, message); });
      }
    }
  } catch (e) {
    if (e.name === "AbortError") message.stopped = true;
    else message.error = e.message;
  }
  running = null;
  item.classList.remove("writing");
  item.removeAttribute("aria-busy");
  fill(item, message);
  busy(false);
  const seconds = (performance.now() - start) / 1000;
  $("speed").textContent = usage ? `${usage.completion_tokens} tokens, ${(usage.completion_tokens / seconds).toFixed(1)} per second` : "";
  $("live").textContent = message.error ? `Error: ${message.error}` : `Answer: ${message.content}`;
}

function busy(yes) {
  $("send").hidden = yes;
  $("stop").hidden = !yes;
  if (yes) $("stop").focus();
  else $("input").focus({ preventScroll: true });
  for (const button of document.querySelectorAll(".who button")) button.disabled = yes;
}

const atEnd = () => innerHeight + scrollY >= document.body.scrollHeight - 120;

function fill(item, message) {
  const follow = atEnd();
  const text = item.querySelector(".text");
  text.replaceChildren();
  if (message.thought) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Thoughts";
    const thought = document.createElement("div");
    thought.className = "thought";
    thought.textContent = message.thought;
    details.append(summary, thought);
    text.append(details);
  }
  if (message.role === "user") {
    const p = document.createElement("p");
    p.style.whiteSpace = "pre-wrap";
    p.textContent = message.content;
    text.append(p);
  } else text.append(Markdown.render(message.content));
  if (message.stopped || message.error) {
    const note = document.createElement("p");
    note.className = message.error ? "error" : "thought";
    note.textContent = message.error ? `Error: ${message.error}` : "(stopped)";
    text.append(note);
  }
  if (follow) scrollTo(0, document.body.scrollHeight);
}

function show(message, index) {
  const item = document.createElement("li");
  item.className = message.role;
  const who = document.createElement("div");
  who.className = "who";
  const name = document.createElement("span");
  name.textContent = message.role === "user" ? "You" : "Model";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = message.role === "user" ? "Edit" : "Retry";
  button.setAttribute("aria-label", message.role === "user" ? "Edit this message" : "Answer again");
  button.addEventListener("click", () => (message.role === "user" ? edit(index) : retry(index)));
  who.append(name, button);
  const text = document.createElement("div");
  text.className = "text";
  item.append(who, text);
  $("messages").append(item);
  $("hint").hidden = true;
  fill(item, message);
  scrollTo(0, document.body.scrollHeight);
  return item;
}

function cut(length) {
  messages.length = length;
  while ($("messages").children.length > length) $("messages").lastChild.remove();
  $("hint").hidden = length > 0;
}

function edit(index) {
  $("input").value = messages[index].content;
  cut(index);
  $("input").focus();
}

function retry(index) {
  cut(index);
  answer();
}

function send() {
  const text = $("input").value.trim();
  if (!text || running) return;
  $("input").value = "";
  const message = { role: "user", content: text };
  messages.push(message);
  show(message, messages.length - 1);
  answer();
}

$("composer").addEventListener("submit", (e) => { e.preventDefault(); send(); });
$("input").addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); send(); }
});
addEventListener("keydown", (e) => { if (e.key === "Escape") running?.abort(); });
$("stop").addEventListener("click", () => running?.abort());
$("clear").addEventListener("click", () => { running?.abort(); cut(0); $("input").focus(); });
$("settings").addEventListener("submit", (e) => e.preventDefault());
$("show-settings").addEventListener("click", () => {
  $("settings").hidden = !$("settings").hidden;
  $("show-settings").setAttribute("aria-expanded", String(!$("settings").hidden));
});

/* The engine, once a second while somebody is looking. */
let timer = 0;
let last = null;
const rates = [];
function view(engine) {
  $("chat").hidden = engine;
  $("engine").hidden = !engine;
  $("show-chat").setAttribute("aria-pressed", String(!engine));
  $("show-engine").setAttribute("aria-pressed", String(engine));
  clearInterval(timer);
  if (engine) { timer = setInterval(look, 1000); look(); }
}
$("show-chat").addEventListener("click", () => view(false));
$("show-engine").addEventListener("click", () => view(true));

async function look() {
  if (document.hidden) return;
  let e;
  try {
    const response = await fetch("/engine", { headers: headers() });
    if (!response.ok) { $("backend").textContent = await failure(response); return; }
    e = await response.json();
  } catch { $("backend").textContent = "The server cannot be reached."; return; }
  $("backend").textContent = e.backend;
  for (const id of ["running", "waiting", "places"]) $(id).textContent = e[id];
  $("running-meter").value = e.running / e.places;
  $("in-use").textContent = e.kv.in_use;
  $("cached").textContent = e.kv.cached;
  $("blocks").textContent = e.kv.blocks;
  const [cached, used] = $("kv").children;
  used.setAttribute("width", (100 * e.kv.in_use) / e.kv.blocks);
  cached.setAttribute("width", (100 * (e.kv.in_use + e.kv.cached)) / e.kv.blocks);
  $("hits").textContent = Math.round(100 * e.totals.cache_hit_ratio);
  $("evictions").textContent = e.kv.evictions;
  $("preemptions").textContent = e.totals.preemptions;
  if (last) {
    rates.push((e.totals.generated_tokens - last.totals.generated_tokens) / Math.max(0.1, e.uptime_seconds - last.uptime_seconds));
    if (rates.length > 120) rates.shift();
    const most = Math.max(1, ...rates);
    $("rate").textContent = rates.at(-1).toFixed(0);
    $("limit").textContent = e.limit_tokens_per_second ? `of at most ${e.limit_tokens_per_second.toFixed(0)} for ${Math.max(1, e.running)} sequences` : `(highest ${most.toFixed(0)})`;
    $("history").firstElementChild.setAttribute("points", rates.map((r, i) => `${120 - rates.length + i},${39 - (36 * r) / most}`).join(" "));
  }
  last = e;
  for (const [id, values] of Object.entries(e.latencies)) {
    const tds = $(id).querySelectorAll("td");
    values.forEach((v, i) => { tds[i].textContent = v < 100 ? v.toFixed(1) : v.toFixed(0); });
  }
}
tellModel();
$("input").focus();
