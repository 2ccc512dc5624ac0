// The search page's script. All text of documents is put in as text; a README is shown in a frame that may do nothing.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const PER_PAGE = 20;
// Characters that no text has, so that what is marked can be told from what a document says.
const [START, END] = ["\uE000", "\uE001"];
const FACETS = [["framework_versions", "Framework"], ["python_versions", "Python version"]];
const MOST_VALUES = 40;
const SORTS = [
  ["relevance", "Relevance", null],
  ["stars", "Stars", "github_stars"],
  ["downloads", "Downloads", "download_last_month"],
  ["released", "Last release", "upload_timestamp"],
  ["name", "Name", "name_sortable"],
];

const state = { c: "", q: "", sort: "relevance", page: 1, p: "", chosen: {} };
let asked = null;
// The address whose results are shown.
let shown = null;
let timer = 0;

function collection() {
  return data.collections.find((c) => c.name === state.c);
}

function field(name) {
  return collection()?.fields.find((f) => f.name === name && f.index !== false);
}

// -- elements ---------------------------------------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

function marked(text) {
  const pieces = document.createDocumentFragment();
  for (const part of String(text).split(START)) {
    const [inside, ...outside] = part.split(END);
    if (!outside.length) pieces.append(inside);
    else pieces.append(element("mark", {}, inside), outside.join(""));
  }
  return pieces;
}

function link(address, text) {
  let parsed;
  try {
    parsed = new URL(address);
  } catch {
    return null;
  }
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") return null;
  return element("a", { href: parsed.href, target: "_blank", rel: "noopener noreferrer nofollow" }, text || parsed.href);
}

function date(seconds) {
  if (!seconds) return null;
  const moment = new Date(seconds * 1000);
  const shown = moment.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
  return element("time", { datetime: moment.toISOString().slice(0, 10) }, shown);
}

const number = (value) => Number(value).toLocaleString();

// -- the address ------------------------------------------------------------------------------------------------------

function readAddress() {
  const given = new URLSearchParams(location.search);
  const names = data.collections.map((c) => c.name);
  state.c = names.includes(given.get("c")) ? given.get("c") : names[0] || "";
  state.q = given.get("q") || "";
  state.sort = given.get("sort") || "relevance";
  state.page = Math.max(1, Number.parseInt(given.get("page") || "1", 10) || 1);
  state.p = given.get("p") || "";
  state.chosen = {};
  for (const [name] of FACETS) state.chosen[name] = given.getAll(name);
}

function address(changes = {}) {
  const now = { ...state, ...changes };
  const made = new URLSearchParams();
  made.set("c", now.c);
  if (now.q) made.set("q", now.q);
  if (now.sort !== "relevance") made.set("sort", now.sort);
  for (const [name] of FACETS) for (const value of now.chosen[name] || []) made.append(name, value);
  if (now.page > 1) made.set("page", now.page);
  if (now.p) made.set("p", now.p);
  return "?" + made;
}

// -- asking -----------------------------------------------------------------------------------------------------------

function filters(without) {
  const conditions = [];
  for (const [name] of FACETS) {
    if (name === without || !state.chosen[name].length || !field(name)) continue;
    conditions.push(`${name}:=[${state.chosen[name].map((v) => "`" + v.replaceAll("`", "") + "`").join(",")}]`);
  }
  return conditions.join(" && ");
}

function queried() {
  const fields = collection().fields.filter((f) => f.index !== false && (f.type === "string" || f.type === "string[]"));
  const weights = (data.defaults.query_by_weights || "").split(",");
  const told = (data.defaults.query_by || "").split(",").map((name, i) => [name, weights[i] || 1]);
  const known = told.filter(([name]) => fields.some((f) => f.name === name));
  const used = known.length ? known : fields.map((f) => [f.name, 1]);
  return { query_by: used.map(([name]) => name).join(","), query_by_weights: used.map(([, w]) => w).join(",") };
}

// By relevance as the defaults say, left out what the collection cannot be sorted by.
function relevance() {
  const orders = (data.defaults.sort_by || "").split(/,(?![^(]*\))/);
  return orders.filter((order) => order.startsWith("_") || field(order.split(/[(:]/)[0])?.sort).join(",");
}

function sorting() {
  const [, , name] = SORTS.find(([key]) => key === state.sort) || SORTS[0];
  // Where nothing is looked for nothing is more relevant than another: then the best known come first.
  const names = [name ?? (state.q ? null : "github_stars"), "name_sortable"].filter((n) => field(n)?.sort);
  if (!name && state.q) return relevance();
  const keys = names.map((n) => n === "name_sortable" ? `${n}:asc` : `${n}(missing_values: last):desc`);
  return [...new Set(keys)].join(",");
}

function grouping() {
  // Where a collection holds several releases of a package, the package is one result.
  return field("name_sortable")?.facet ? { group_by: "name_sortable", group_limit: 1 } : {};
}

function searches() {
  const common = { ...data.defaults, collection: state.c, q: state.q || "*", sort_by: "", ...queried(), ...grouping() };
  const main = {
    ...common, filter_by: filters(), sort_by: sorting(), page: state.page, per_page: PER_PAGE,
    highlight_start_tag: START, highlight_end_tag: END, highlight_fields: "name,summary",
    highlight_full_fields: "name,summary", exclude_fields: "description,main_content,first_chapter,changelog",
  };
  // Of each filter all values are offered that the other filters leave, so that a second one can be chosen.
  const counts = FACETS.filter(([name]) => field(name)?.facet).map(([name]) => ({
    ...common, filter_by: filters(name), facet_by: name, max_facet_values: MOST_VALUES, per_page: 0,
    facet_strategy: "exhaustive",
  }));
  return [main, ...counts].map(withoutEmpty);
}

function withoutEmpty(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

async function ask(list, signal) {
  const answer = await fetch("multi_search", {
    method: "POST", signal, body: JSON.stringify({ searches: list }),
    headers: { "Content-Type": "application/json", "X-TYPESENSE-API-KEY": data.key },
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message || `The server answered ${answer.status}.`);
  const failed = body.results.find((result) => result.error);
  if (failed) throw new Error(failed.error);
  return body.results;
}

async function search() {
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  if (data.problem) return say(data.problem, true);
  if (!collection()) return say("There is no collection yet.");
  $("results").classList.add("waiting");
  shown = null;
  try {
    const [found, ...counts] = await ask(searches(), signal);
    showResults(found);
    showFilters(counts);
    shown = address({ p: "" });
  } catch (error) {
    if (error.name === "AbortError") return;
    $("results").replaceChildren();
    say(error.message, true);
  } finally {
    if (!signal.aborted) $("results").classList.remove("waiting");
  }
}

function say(text, failed = false) {
  $("status").textContent = text;
  $("status").classList.toggle("failed", failed);
}

// -- results ----------------------------------------------------------------------------------------------------------

function showResults(found) {
  const hits = found.grouped_hits ? found.grouped_hits.map((group) => group.hits[0]) : found.hits;
  const pages = Math.max(1, Math.ceil(found.found / PER_PAGE));
  const many = found.found === 1 ? "1 package" : `${number(found.found)} packages`;
  say(found.found ? `${many}, page ${state.page} of ${pages}` : "Nothing found. Try other words or fewer filters.");
  $("results").start = (state.page - 1) * PER_PAGE + 1;
  $("results").replaceChildren(...hits.map(result));
  $("pages").hidden = pages < 2;
  $("page").textContent = `${state.page} of ${pages}`;
  $("before").disabled = state.page <= 1;
  $("after").disabled = state.page >= pages;
}

function part(hit, name) {
  const shown = hit.highlight?.[name];
  return marked(shown?.value ?? shown?.snippet ?? hit.document[name] ?? "");
}

function result(hit) {
  const document = hit.document;
  const name = document.name ? part(hit, "name") : document.id;
  const opener = element("a", { href: address({ p: document.id }), "data-id": document.id }, name);
  const stars = document.github_stars;
  const facts = [
    document.version && `Version ${document.version}`,
    document.upload_timestamp && ["Released ", date(document.upload_timestamp)],
    stars != null && `${number(stars)} ${stars === 1 ? "star" : "stars"}`,
    ...(document.framework_versions || []).slice(0, 6),
  ].filter(Boolean);
  return element("li", {},
    element("h3", {}, opener),
    document.summary ? element("p", {}, part(hit, "summary")) : null,
    element("ul", { class: "facts" }, ...facts.map((fact) => element("li", {}, ...[fact].flat()))));
}

function showFilters(counts) {
  const focused = document.activeElement?.id;
  const offered = FACETS.filter(([name]) => field(name)?.facet);
  $("filters").replaceChildren(...offered.map(([name, title], i) => filter(name, title, counts[i].facet_counts[0])));
  if (focused?.startsWith("choice-")) $(focused)?.focus();
}

function filter(name, title, counted) {
  const counts = new Map((counted?.counts || []).map((entry) => [entry.value, entry.count]));
  for (const value of state.chosen[name]) if (!counts.has(value)) counts.set(value, 0);
  const order = new Intl.Collator(undefined, { numeric: true });
  const values = [...counts.keys()].sort((a, b) => order.compare(b, a));
  const choices = values.map((value) => choice(name, value, counts.get(value)));
  return choices.length ? element("fieldset", {}, element("legend", {}, title), ...choices) : "";
}

function choice(name, value, count) {
  const id = `choice-${name}-${value}`;
  const box = element("input", {
    type: "checkbox", id, checked: state.chosen[name].includes(value),
    onchange: (event) => choose(name, value, event.target.checked),
  });
  return element("label", { class: "choice", for: id }, box, element("span", {}, value),
    element("span", { class: "count" }, number(count)));
}

function choose(name, value, wanted) {
  const others = state.chosen[name].filter((each) => each !== value);
  state.chosen = { ...state.chosen, [name]: wanted ? [...others, value] : others };
  state.page = 1;
  renew();
}

// -- one package ------------------------------------------------------------------------------------------------------

async function openPackage(id) {
  const wanted = { collection: state.c, q: "*", filter_by: "id:=`" + id.replaceAll("`", "") + "`", per_page: 1 };
  let document;
  try {
    const [found] = await ask([wanted]);
    document = found.hits[0]?.document;
  } catch (error) {
    return say(error.message, true);
  }
  if (!document || state.p !== id) return document ? undefined : say("This package is not in the collection.", true);
  $("package-name").textContent = [document.name || document.id, document.version].filter(Boolean).join(" ");
  $("package-body").replaceChildren(...packageParts(document).filter(Boolean));
  if (!$("package").open) $("package").showModal();
  $("package-name").focus();
}

function packageParts(found) {
  const warnings = [
    found.yanked && `This release was yanked${found.yanked_reason ? `: ${found.yanked_reason}` : "."}`,
    found.is_prerelease && "This is a pre-release.",
    found.github_archived && "The repository is archived.",
    found.curated_warning,
    found.curated_replacement && `Replaced by ${found.curated_replacement}.`,
  ].filter(Boolean);
  return [
    found.summary && element("p", {}, found.summary),
    ...warnings.map((text) => element("p", { class: "warn" }, text)),
    facts(found),
    ...github(found),
    ...versions(found),
    ...readme(found),
  ];
}

// Some packages have the whole text of their licence where its name should be.
function firstLine(text) {
  const line = (text || "").trim().split("\n")[0];
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

function facts(found) {
  const rows = [
    ["Released", date(found.upload_timestamp)],
    ["Author", found.author || found.maintainer || found.author_email],
    ["Licence", found.license_spdx || firstLine(found.license)],
    ["Requires Python", found.requires_python],
    ["Framework", (found.framework_versions || []).join(", ")],
    ["Python", (found.python_versions || []).join(", ")],
    ["Keywords", (found.keywords || []).join(", ")],
    ["Health score", found.health_score != null && `${number(found.health_score)} of 100`],
    ["Downloads", downloads(found)],
  ].filter(([, value]) => value);
  const links = links_of(found);
  if (links.length) rows.push(["Links", element("ul", { class: "facts" }, ...links.map((l) => element("li", {}, l)))]);
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function downloads(found) {
  const periods = ["day", "week", "month"].filter((period) => found[`download_last_${period}`] != null);
  return periods.map((period) => `${number(found[`download_last_${period}`])} in the last ${period}`).join(", ");
}

function links_of(found) {
  const named = [
    ["Package page", found.package_url], ["Home page", found.home_page], ["Documentation", found.docs_url],
    ["GitHub", found.github_url], ...Object.entries(found.project_urls || {}),
  ];
  const seen = new Set();
  return named.map(([text, to]) => {
    if (typeof to !== "string" || seen.has(to)) return null;
    seen.add(to);
    return link(to, text);
  }).filter(Boolean);
}

function github(found) {
  const figures = [
    ["Stars", found.github_stars], ["Watchers", found.github_watchers], ["Open issues", found.github_open_issues],
  ].filter(([, value]) => value != null);
  if (!figures.length) return [];
  const parts = figures.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, number(value))));
  if (found.github_updated) {
    parts.push(element("div", {}, element("dt", {}, "Updated"), element("dd", {}, date(found.github_updated))));
  }
  return [element("h3", {}, "GitHub"), element("dl", { class: "figures" }, ...parts)];
}

function versions(found) {
  if (!found.versions?.length) return [];
  const items = found.versions.map((version) => element("li", { class: "tag" }, version));
  return [
    element("h3", { id: "versions" }, `Versions (${number(found.versions.length)})`),
    element("ul", { class: "versions", tabindex: "0", "aria-labelledby": "versions" }, ...items),
  ];
}

// READMEs were cleaned before they were stored, and the frame lets nothing run: this is for those that were not, so that
// a browser that looks ahead does not even fetch what it would refuse.
function harmless(markup) {
  const parsed = new DOMParser().parseFromString(markup, "text/html");
  const refused = "script,style,link,meta,base,iframe,frame,object,embed,form,portal,template,svg style,math";
  for (const each of parsed.querySelectorAll(refused)) each.remove();
  for (const each of parsed.querySelectorAll("*")) {
    for (const { name } of [...each.attributes]) {
      if (name.startsWith("on") || name === "style" || name === "srcdoc") each.removeAttribute(name);
    }
    // An address without a host would be one of this server's.
    const elsewhere = /^(https:|data:image\/)/i.test(each.getAttribute("src") || "");
    if (each.matches("img,source") && !elsewhere) each.removeAttribute("src");
    each.removeAttribute("srcset");
  }
  return parsed.body.innerHTML;
}

function readme(found) {
  if (!found.description) return [];
  const base = document.baseURI;
  const frame = element("iframe", {
    // No scripts, no forms, no origin: links may open a window of their own, and that is all.
    sandbox: "allow-popups allow-popups-to-escape-sandbox", referrerpolicy: "no-referrer",
    title: `README of ${found.name || found.id}`,
  });
  const style = new URL("page/readme.css", base).href;
  frame.srcdoc = `<!doctype html><meta charset="utf-8"><base target="_blank">` +
    `<link rel="stylesheet" href="${style}"><body>${harmless(found.description)}`;
  return [element("h3", {}, "README"), frame];
}

// -- what people do ---------------------------------------------------------------------------------------------------

function renew(push = false) {
  history[push ? "pushState" : "replaceState"](null, "", address());
  document.title = state.q ? `${state.q} - Search packages` : "Search packages";
  return search();
}

function turn(by) {
  state.page += by;
  renew(true);
  $("results").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function fill() {
  $("collection").value = state.c;
  if ($("query").value !== state.q) $("query").value = state.q;
  const offered = SORTS.filter(([, , name]) => !name || field(name)?.sort);
  $("sort").replaceChildren(...offered.map(([key, text]) => element("option", { value: key }, text)));
  if (!offered.some(([key]) => key === state.sort)) state.sort = "relevance";
  $("sort").value = state.sort;
}

async function arrive() {
  readAddress();
  fill();
  // Where only a package is opened or closed, what was found stays as it is.
  if (shown !== address({ p: "" })) await search();
  if (state.p) await openPackage(state.p);
  else if ($("package").open) $("package").close();
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  state.q = $("query").value.trim();
  state.page = 1;
  renew(true);
});
$("query").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    state.q = $("query").value.trim();
    state.page = 1;
    renew();
  }, 150);
});
$("collection").addEventListener("change", () => {
  Object.assign(state, { c: $("collection").value, page: 1, p: "", chosen: {} });
  for (const [name] of FACETS) state.chosen[name] = [];
  fill();
  renew(true);
});
$("sort").addEventListener("change", () => {
  Object.assign(state, { sort: $("sort").value, page: 1 });
  renew();
});
$("before").addEventListener("click", () => turn(-1));
$("after").addEventListener("click", () => turn(1));
$("results").addEventListener("click", (event) => {
  const opener = event.target.closest("a[data-id]");
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  state.p = opener.dataset.id;
  history.pushState({ opened: true }, "", address());
  openPackage(state.p);
});
$("close").addEventListener("click", () => $("package").close());
$("package").addEventListener("close", () => {
  if (!state.p) return;
  const id = state.p;
  state.p = "";
  // Closing leads back to where it was opened, so that the browser's Back leads further and does not open it again.
  if (history.state?.opened) history.back();
  else history.replaceState(null, "", address());
  document.querySelector(`a[data-id="${CSS.escape(id)}"]`)?.focus();
});
window.addEventListener("popstate", arrive);
arrive();
