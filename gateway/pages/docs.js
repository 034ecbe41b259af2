// Draws /api/openapi.json. Everything is set as text, never as HTML.
"use strict";

// The path below which the gateway answers; this file is at docs/docs.js below it.
const root = new URL("..", document.currentScript.src).pathname.replace(/\/$/, "");

const make = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

// Text with `code` in backticks.
const prose = (text) => (text || "").split("`").map((part, n) => (n % 2 ? make("code", {}, part) : part));

let api;
const follow = (node) => (node && node.$ref ? node.$ref.slice(2).split("/").reduce((at, part) => at[part], api) : node);

const typeOf = (schema) => {
  if (!schema) return "any";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.anyOf || schema.oneOf) return (schema.anyOf || schema.oneOf).map(typeOf).join(" | ");
  if (schema.type === "array") {
    const item = typeOf(schema.items);
    return item.includes(" | ") ? `(${item})[]` : `${item}[]`;
  }
  return [schema.type || "any", schema.format && `(${schema.format})`].filter(Boolean).join(" ");
};

const limitsOf = (schema) => {
  const words = { minimum: "≥", maximum: "≤", exclusiveMinimum: ">", minLength: "length ≥", maxLength: "length ≤", maxItems: "items ≤" };
  const parts = [schema, ...(schema.anyOf || [])];
  const found = parts.flatMap((part) => Object.entries(words).filter(([name]) => part[name] !== undefined).map(([name, sign]) => `${sign} ${part[name]}`));
  if (schema.default !== undefined && schema.default !== null) found.push(`default ${JSON.stringify(schema.default)}`);
  return found.join(", ");
};

const fieldsTable = (schema, seen = new Set()) => {
  const shape = follow(schema);
  if (!shape || !shape.properties) return null;
  const required = new Set(shape.required || []);
  const rows = Object.entries(shape.properties).flatMap(([name, spec]) => {
    const inner = nested(spec, seen);
    return [
      make("tr", {},
        make("td", {}, make("code", {}, name), required.has(name) ? " *" : ""),
        make("td", {}, typeOf(spec), make("div", { class: "hint" }, limitsOf(spec))),
        make("td", {}, ...prose(spec.description))),
      inner && make("tr", { class: "nested" }, make("td", { colspan: "3" }, inner)),
    ];
  });
  return make("table", { class: "fields" }, make("tbody", {}, ...rows.filter(Boolean)));
};

const nested = (spec, seen) => {
  const candidates = [spec, spec.items, ...(spec.anyOf || [])].filter((part) => part && part.$ref && !seen.has(part.$ref));
  if (!candidates.length) return null;
  return make("div", {}, ...candidates.map((part) => {
    const inner = fieldsTable(part, new Set([...seen, part.$ref]));
    return inner && make("details", {}, make("summary", {}, part.$ref.split("/").pop()), inner);
  }).filter(Boolean));
};

const parametersTable = (parameters) => {
  if (!parameters.length) return null;
  return make("table", { class: "fields" }, make("tbody", {}, ...parameters.map((one) =>
    make("tr", {},
      make("td", {}, make("code", {}, one.name), one.required ? " *" : "", make("div", { class: "hint" }, one.in)),
      make("td", {}, typeOf(one.schema), make("div", { class: "hint" }, limitsOf(one.schema))),
      make("td", {}, ...prose(one.description))))));
};

const responsesTable = (responses) =>
  make("table", { class: "answers" }, make("tbody", {}, ...Object.entries(responses).map(([status, answer]) => {
    const media = answer.content && Object.entries(answer.content)[0];
    const shape = media && status < 400 ? fieldsTable(media[1].schema) : null;
    return make("tr", {},
      make("td", {}, make("code", {}, status)),
      make("td", {}, ...prose(answer.description), media ? make("div", { class: "hint" }, media[0]) : null,
        shape && make("details", {}, make("summary", {}, typeOf(media[1].schema)), shape)));
  })));

const trial = (method, path, spec, parameters) => {
  const body = spec.requestBody && spec.requestBody.content["application/json"];
  const inputs = parameters.filter((one) => one.in !== "header" || one.name === "Prefer" || one.name === "Idempotency-Key");
  const id = (name) => `${spec.operationId}-${name}`;
  const area = body ? make("textarea", { id: id("body"), spellcheck: "false" }) : null;
  if (area) area.value = JSON.stringify(body.example || {}, null, 2);
  const output = make("pre", { hidden: true, tabindex: "0", role: "status" });
  const send = async (event) => {
    event.preventDefault();
    const value = (one) => document.getElementById(id(one.name)).value.trim();
    let address = path;
    const query = new URLSearchParams();
    const headers = {};
    for (const one of inputs) {
      if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURI(value(one)));
      else if (value(one) && one.in === "query") query.set(one.name, value(one));
      else if (value(one)) headers[one.name] = value(one);
    }
    const key = document.getElementById("key").value.trim();
    if (key) headers.Authorization = `Bearer ${key}`;
    if (area) headers["Content-Type"] = "application/json";
    output.hidden = false;
    output.textContent = "…";
    try {
      const answer = await fetch(root + address + (query.size ? `?${query}` : ""), { method: method.toUpperCase(), headers, body: area ? area.value : undefined });
      const kind = answer.headers.get("Content-Type") || "";
      const text = kind.includes("json") ? JSON.stringify(await answer.json(), null, 2) : kind.startsWith("text/") ? await answer.text() : kind;
      output.textContent = `${answer.status} ${answer.statusText}\n\n${text}`;
    } catch (error) {
      output.textContent = String(error);
    }
  };
  return make("details", {}, make("summary", {}, "Try it"),
    make("form", { onsubmit: send },
      ...inputs.map((one) => make("p", {}, make("label", { for: id(one.name) }, one.name), make("input", { id: id(one.name), autocomplete: "off" }))),
      area && make("p", {}, make("label", { for: id("body") }, "Body"), area),
      make("button", {}, "Send")),
    output);
};

const article = (method, path, spec) => {
  const parameters = (spec.parameters || []).map(follow);
  const body = spec.requestBody && Object.entries(spec.requestBody.content)[0];
  const endless = spec.responses["101"] || (spec.responses["200"] && spec.responses["200"].content && spec.responses["200"].content["text/event-stream"]);
  const upload = body && body[0] !== "application/json";
  const details = make("details", {},
    make("summary", {}, make("span", { class: `method ${method}` }, method.toUpperCase()), make("span", { class: "path" }, path), make("span", { class: "about" }, spec.summary)),
    make("p", {}, ...prose(spec.description)),
    spec["x-scope"] ? make("p", { class: "hint" }, `Scope: ${spec["x-scope"]}`) : make("p", { class: "hint" }, "Public"),
    parameters.length ? make("h3", {}, "Parameters") : null, parametersTable(parameters),
    body && make("h3", {}, "Body ", make("span", { class: "hint" }, body[0])), body && fieldsTable(body[1].schema),
    make("h3", {}, "Answers"), responsesTable(spec.responses),
    endless || upload ? null : trial(method, path, spec, parameters));
  return make("article", { id: spec.operationId, "data-text": `${method} ${path} ${spec.summary}`.toLowerCase() }, details);
};

const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target && target.querySelector("details");
  if (details) { details.open = true; target.scrollIntoView(); }
};

const draw = () => {
  document.getElementById("intro").replaceChildren(
    make("h1", {}, `${api.info.title} API `, make("span", { class: "hint" }, api.info.version)),
    ...api.info.description.trim().split("\n\n").map((text) => make("p", {}, ...prose(text))));
  const index = document.getElementById("index");
  const place = document.getElementById("operations");
  place.replaceChildren();
  for (const { name } of api.tags) {
    const found = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([, spec]) => spec.tags.includes(name)).map(([method, spec]) => [method, path, spec]));
    index.append(make("h2", {}, name), ...found.map(([, , spec]) => make("a", { href: `#${spec.operationId}`, "data-for": spec.operationId }, spec.summary)));
    place.append(make("h2", { class: "tag" }, name), ...found.map((one) => article(...one)));
  }
  open();
};

document.getElementById("session").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of document.querySelectorAll("article")) {
    one.hidden = !words.every((word) => one.dataset.text.includes(word));
    const link = document.querySelector(`[data-for="${one.id}"]`);
    if (link) link.hidden = one.hidden;
  }
});
window.addEventListener("hashchange", open);
fetch(`${root}/api/openapi.json`).then((answer) => answer.json()).then((found) => { api = found; draw(); })
  .catch((error) => document.getElementById("operations").replaceChildren(make("p", {}, `The document cannot be read: ${error}`)));
