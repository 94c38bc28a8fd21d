"use strict";

// Elements are made of names, attributes and text; nothing is ever read as markup: models' names are anybody's.

function made(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const element = (name, attributes = {}, ...children) => made(document.createElement(name), attributes, children);

const drawn = (name, attributes = {}, ...children) =>
  made(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

const byId = (id) => document.getElementById(id);

/** Writes only what is new, so that focus and selection stay. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** As many rows in a table's body as there are items: those that are there are used again. */
function rows(body, count, make) {
  while (body.rows.length > count) body.lastChild.remove();
  while (body.rows.length < count) body.append(make());
  return body.rows;
}

/** Names and values, all anew. */
function facts(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
