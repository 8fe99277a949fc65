// The inbox with script: times in the reader's zone, a list that renews itself, what a decision led to, and keys. Without script each page is whole.
"use strict";

const root = document.body.dataset.root;
const byId = (id) => document.getElementById(id);
document.documentElement.classList.add("scripted");

// -- times in the reader's zone ---------------------------------------------------------------------------------------

function localise(within) {
  const today = new Date().toDateString();
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString();
    const clock = /^(\d{4}-\d\d-\d\d )?\d\d:\d\d(:\d\d)?$/.exec(time.textContent.trim());
    if (!clock) continue;
    const hour = { hour: "2-digit", minute: "2-digit", second: clock[2] ? "2-digit" : undefined, hourCycle: "h23" };
    time.textContent = at.toDateString() === today ? at.toLocaleTimeString([], hour) : at.toLocaleString([], { ...hour, year: "numeric", month: "short", day: "numeric" });
  }
}

function zone() {
  const said = document.querySelector(".zone");
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (said && name) said.textContent = name;
}

// -- pages that renew themselves ----------------------------------------------------------------------------------------

async function fresh(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function take(page, id) {
  const [here, there] = [byId(id), page.getElementById(id)];
  if (!here || !there || here.innerHTML === there.innerHTML) return false;
  const focused = here.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  here.replaceChildren(...there.childNodes);
  localise(here);
  if (focused) here.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

async function renewList() {
  const page = await fresh(location.href);
  if (!page || !byId("live")) return;
  const before = document.querySelectorAll("a.q").length;
  if (take(page, "live")) {
    document.title = page.title;
    document.querySelector(".tabs").replaceChildren(...page.querySelector(".tabs").childNodes);
    const after = document.querySelectorAll("a.q").length;
    if (after !== before) byId("told").textContent = page.title;
  }
}

function live() {
  if (!byId("live")) return;
  let waiting = null;
  const soon = () => { waiting ??= setTimeout(() => { waiting = null; renewList(); }, 300); };
  if ("EventSource" in window) {
    const events = new EventSource(`${root}/api/v1/events`);
    events.addEventListener("question", soon);
    events.addEventListener("reset", soon);
  }
  setInterval(() => { if (!document.hidden) renewList(); }, 10000);
}

function led() {
  const after = byId("after");
  if (!after?.dataset.poll) return;
  const timer = setInterval(async () => {
    const page = await fresh(location.href);
    if (!page) return;
    take(page, "led");
    const rail = page.querySelector(".rail");
    if (rail) document.querySelector(".rail")?.replaceWith(rail);
    localise(document);
    if (!page.getElementById("after")?.dataset.poll) { clearInterval(timer); byId("again")?.remove(); }
  }, 2000);
}

// -- keys -------------------------------------------------------------------------------------------------------------------

const OFF = "statecore-keys-off";
const keysOff = () => localStorage.getItem(OFF) === "1";

function move(step) {
  const links = [...document.querySelectorAll("a.q")];
  if (!links.length) { if (step > 0) byId("next")?.click(); return; }
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)].focus();
}

function pressed(event) {
  if (keysOff() || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const buttons = [...document.querySelectorAll(".answer:not(:disabled)")];
  const yes = buttons.find((each) => !each.classList.contains("no"));
  const act = {
    j: () => move(1),
    k: () => move(-1),
    a: () => yes?.focus(),
    r: () => buttons.find((each) => each.classList.contains("no"))?.focus(),
  }[event.key];
  if (act) { act(); event.preventDefault(); }
}

function keys() {
  const button = byId("keys");
  if (!button) return;
  const [off, on] = [button.textContent, button.dataset.on];
  const show = () => { button.textContent = keysOff() ? on : off; };
  button.addEventListener("click", () => { localStorage.setItem(OFF, keysOff() ? "0" : "1"); show(); });
  show();
  document.addEventListener("keydown", pressed);
}

// One press, one decision: a second one does nothing while the first is under way.
byId("decide")?.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) { event.preventDefault(); return; }
  event.target.dataset.sent = "1";
});
addEventListener("pageshow", () => { const form = byId("decide"); if (form) delete form.dataset.sent; });

zone();
localise(document);
live();
led();
keys();
document.querySelector(".note[role=alert]")?.scrollIntoView({ block: "nearest" });
