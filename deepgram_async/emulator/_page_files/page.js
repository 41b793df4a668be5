"use strict";

// Browsers grow slow with more.
const MOST_MESSAGES = 400;
const MOST_REQUESTS = 100;
const MOST_DEVIATIONS = 200;

const find = (selector) => document.querySelector(selector);
const messages = find("#messages ol");
const requests = find("#requests tbody");
const streams = find("#streams ul");
const deviations = find("#deviations ul");

// What clients say is text and nothing else: it only ever becomes the content of a text node.
const element = (name, className, ...content) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...content);
  return made;
};

const time = (at) => new Date(at === null ? Date.now() : at * 1000).toLocaleTimeString("en-GB");

const rows = new Map();
const open = new Map();
let only = null;
let isPaused = false;
let deviationCount = 0;

const trim = (list, most, end) => {
  while (list.childElementCount > most) list[end].remove();
};

const showOnly = (id) => {
  only = id;
  find("#filter").hidden = id === null;
  for (const item of messages.children) item.hidden = id !== null && item.dataset.id !== id;
  for (const [name, item] of open) {
    item.firstChild.setAttribute("aria-pressed", String(name === id));
  }
};

const addMessage = (event, ...content) => {
  if (isPaused) return;
  const side = event.from_client ? "client" : "service";
  const item = element(
    "li",
    `from-${side}`,
    element("span", "time", time(event.at)),
    element("span", "who", side),
    ...content,
  );
  item.dataset.id = event.id;
  item.hidden = only !== null && event.id !== only;
  const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 40;
  messages.append(item);
  trim(messages, MOST_MESSAGES, "firstElementChild");
  if (isAtEnd) messages.scrollTop = messages.scrollHeight;
};

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

// One line, and all of it where somebody wants it.
const unfolding = (text) => {
  const content = parsed(text);
  const kind = element("b", "", String(content?.type ?? ""));
  const summary = element("summary", "", kind, element("span", "text", text));
  const whole = element("pre", "text");
  const details = element("details", "", summary, whole);
  details.addEventListener("toggle", () => {
    whole.textContent = typeof content === "string" ? text : JSON.stringify(content, null, 2);
  });
  return details;
};

const addRequest = (event, status) => {
  const row = element(
    "tr",
    "",
    element("td", "", time(event.at)),
    element("td", status >= 400 ? "bad" : "", status === undefined ? "…" : String(status)),
    element("td", "", element("code", "", `${event.method} ${event.path}`.trim())),
  );
  rows.set(event.id, row);
  requests.prepend(row);
  requests.parentElement.classList.add("filled");
  while (requests.childElementCount > MOST_REQUESTS) requests.lastElementChild.remove();
  for (const [id, known] of rows) if (!known.isConnected) rows.delete(id);
};

const addStream = (event) => {
  const button = element("button", "", element("code", "", event.path));
  button.type = "button";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => showOnly(only === event.id ? null : event.id));
  const item = element("li", "", button);
  open.set(event.id, item);
  streams.append(item);
};

const isSocket = (path) => /^\/(v[12]\/(listen|speak)|v1\/agent\/converse)(\?|$)/.test(path);

const kinds = {
  over: (event) => addRequest(event, event.status),
  asked: (event) => {
    addRequest(event);
    if (event.method === "GET" && isSocket(event.path)) addStream(event);
  },
  answered: (event) => {
    const row = rows.get(event.id);
    if (row !== undefined) {
      row.children[1].textContent = event.status === null ? "left" : String(event.status);
      row.children[1].className = event.status >= 400 ? "bad" : "";
    }
    open.get(event.id)?.remove();
    open.delete(event.id);
    if (only === event.id) showOnly(null);
  },
  message: (event) => addMessage(event, unfolding(event.text)),
  audio: (event) => {
    const frames = event.frames === 1 ? "1 frame" : `${event.frames} frames`;
    addMessage(event, element("span", "quiet", `audio, ${frames}, ${event.bytes} bytes`));
  },
  closed: (event) => {
    const code = event.code === null ? "without a code" : `with ${event.code}`;
    addMessage(event, element("span", "quiet", `closes ${code} ${event.reason}`.trim()));
  },
  dropped: (event) => {
    const text = `${event.count} events came too fast to be shown`;
    addMessage({ id: "", at: null, from_client: false }, element("span", "bad", text));
  },
  deviation: (event) => {
    const page = element("a", "", "documentation");
    page.href = event.page;
    page.rel = "noreferrer";
    page.target = "_blank";
    const what = `${event.where}: ${event.what} `;
    const kind = event.is_note ? "note" : "";
    const rule = element("span", "rule", `${event.rule} `);
    deviations.append(element("li", kind, rule, what, page));
    trim(deviations, MOST_DEVIATIONS, "firstElementChild");
    deviationCount += 1;
    find("#deviation-count").textContent = String(deviationCount);
  },
  strict: (event) => {
    find("#lenient").hidden = event.is_on;
  },
};

const clear = () => {
  for (const list of [messages, requests, deviations]) list.replaceChildren();
  requests.parentElement.classList.remove("filled");
  rows.clear();
  deviationCount = 0;
  find("#deviation-count").textContent = "0";
};

const forgetStreams = () => {
  streams.replaceChildren();
  open.clear();
  showOnly(null);
};

find("#clear").addEventListener("click", clear);
find("#all").addEventListener("click", () => showOnly(null));
find("#pause").addEventListener("click", (event) => {
  isPaused = !isPaused;
  event.currentTarget.setAttribute("aria-pressed", String(isPaused));
});

const source = new EventSource("/_emulator/events");
source.addEventListener("open", () => {
  clear();
  forgetStreams();
  find("#status").textContent = "Watching";
});
source.addEventListener("error", () => {
  find("#status").textContent = "The emulator is not there; trying again…";
  forgetStreams();
});
source.addEventListener("message", ({ data }) => {
  for (const event of JSON.parse(data)) kinds[event.kind]?.(event);
  find("#open-count").textContent = String(open.size);
});
