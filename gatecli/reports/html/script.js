// The page is whole without this: it adds walking and zooming the icicle, tracing the graph, sorting, and printing what
// matters unfolded.
"use strict";

const SHOWN = ":scope > li:not(.aside) > .bar";

function icicle(chart) {
  const said = document.getElementById("icicle-said");
  const bars = [...chart.querySelectorAll(".bar")];
  const root = bars[0];
  let zoomed = root;

  const parent = (bar) => bar.closest("ul").closest("li")?.querySelector(":scope > .bar");
  const children = (bar) => [...(bar.nextElementSibling?.querySelectorAll(SHOWN) ?? [])];
  const beside = (bar, step) => {
    const row = [...bar.closest("ul").querySelectorAll(SHOWN)];
    return row[row.indexOf(bar) + step];
  };
  const show = (bar) => {
    said.replaceChildren(bar.dataset.said);
    if (bar.hasAttribute("href")) {
      const diff = document.createElement("a");
      diff.href = bar.getAttribute("href");
      diff.textContent = "see its diff";
      said.append(" · ", diff);
    }
    if (zoomed !== root) said.append(" · Escape shows everything");
  };
  const focus = (bar) => {
    for (const other of bars) other.tabIndex = other === bar ? 0 : -1;
    bar.focus({ preventScroll: true });
    show(bar);
  };
  const zoom = (bar) => {
    for (const item of chart.querySelectorAll("li")) item.classList.remove("aside", "way", "zoomed");
    zoomed = bar;
    if (bar !== root) bar.parentElement.classList.add("zoomed");
    for (let step = bar; step && bar !== root; step = parent(step)) {
      if (step !== bar) step.parentElement.classList.add("way");
      for (const item of step.closest("ul").children) if (item !== step.parentElement) item.classList.add("aside");
    }
  };

  chart.setAttribute("role", "tree");
  bars.forEach((bar, number) => {
    bar.setAttribute("role", "treeitem");
    bar.tabIndex = bar === root ? 0 : -1;
    bar.parentElement.setAttribute("role", "none");
    const below = bar.nextElementSibling;
    if (below) {
      below.setAttribute("role", "group");
      below.id = `icicle-${number}`;
      bar.setAttribute("aria-owns", below.id);
      bar.setAttribute("aria-expanded", "true");
    }
  });
  said.textContent = "Click a bar to look closer, or walk with the arrow keys.";
  const at = (event) => event.target.closest(".bar");
  chart.addEventListener("click", (event) => {
    const bar = at(event);
    if (!bar) return;
    event.preventDefault();
    zoom(bar === zoomed ? root : bar);
    focus(bar);
  });
  chart.addEventListener("mouseover", (event) => at(event) && show(at(event)));
  chart.addEventListener("focusin", (event) => at(event) && show(at(event)));
  chart.addEventListener("keydown", (event) => {
    const bar = at(event);
    if (!bar) return;
    const ways = {
      ArrowDown: () => children(bar)[0],
      ArrowUp: () => parent(bar),
      ArrowRight: () => beside(bar, 1),
      ArrowLeft: () => beside(bar, -1),
      Home: () => root,
    };
    if (ways[event.key]) {
      event.preventDefault();
      const to = ways[event.key]();
      if (to) focus(to);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      zoom(bar === zoomed ? root : bar);
      show(bar);
    } else if (event.key === "Escape") {
      zoom(root);
      show(bar);
    }
  });
}

function graph(drawing) {
  const edges = [...drawing.querySelectorAll("path")];
  const follow = (start, from, to) => {
    const found = new Set([start]);
    for (const node of found) for (const edge of edges) if (edge.dataset[from] === node) found.add(edge.dataset[to]);
    return found;
  };
  const trace = (node) => {
    const before = follow(node, "to", "from");
    const after = follow(node, "from", "to");
    for (const edge of edges) {
      const { from, to } = edge.dataset;
      edge.classList.toggle("on", (before.has(from) && before.has(to)) || (after.has(from) && after.has(to)));
    }
    for (const box of drawing.querySelectorAll("[data-node]")) {
      box.classList.toggle("on", before.has(box.dataset.node) || after.has(box.dataset.node));
    }
    drawing.classList.add("tracing");
  };
  const stop = () => drawing.classList.remove("tracing");
  for (const box of drawing.querySelectorAll("[data-node]")) {
    box.addEventListener("mouseenter", () => trace(box.dataset.node));
    box.addEventListener("focus", () => trace(box.dataset.node));
    box.addEventListener("mouseleave", stop);
    box.addEventListener("blur", stop);
  }
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("number");
      const up = head.getAttribute("aria-sort") === (isNumber ? "descending" : "none") || (!isNumber && !head.hasAttribute("aria-sort"));
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => isNumber ? Number(row.cells[column].dataset.value) : row.cells[column].textContent;
      const compare = isNumber ? (a, b) => value(a) - value(b) : (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
      const rows = [...table.tBodies[0].rows].sort(compare);
      table.tBodies[0].append(...(up ? rows : rows.reverse()));
    });
  });
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

document.querySelectorAll(".icicle").forEach(icicle);
document.querySelectorAll("svg.blast").forEach(graph);
document.querySelectorAll("table.sortable").forEach(sortable);
addEventListener("hashchange", open);
open();

let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details.notable:not([open])")];
  for (const part of closed) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of closed) part.open = false;
});
