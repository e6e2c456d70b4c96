// Has Mermaid's own parser read pictures and draws them in Chromium as GitHub does (securityLevel strict): says of each
// what the parser made of it, as JSON on stdout. The pictures come as a JSON object of names and sources on stdin.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, chromium] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const library = readFileSync(`${modules}/mermaid/dist/mermaid.min.js`, "utf8");
const browser = await require("playwright-core").chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
const page = await browser.newPage();
const requests = [];
page.on("request", (request) => requests.push(request.url()));
page.on("dialog", (dialog) => requests.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
await page.setContent("<!doctype html><title>Mermaid</title><main></main>");
await page.addScriptTag({ content: library });
await page.evaluate(() => mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: "default" }));

async function read(source) {
  try {
    const { diagramType } = await mermaid.parse(source);
    const { svg } = await mermaid.render("picture", source);
    const main = document.querySelector("main");
    main.innerHTML = svg;
    const said = (part) => {
      part.querySelectorAll("br").forEach((line) => line.replaceWith(" "));
      return part.textContent.replace(/\s+/g, " ").trim();
    };
    return {
      type: diagramType,
      // A node's id is written flowchart-n3-7, an edge's L_n0_n3_0: the counters at the end differ between versions.
      nodes: Object.fromEntries([...main.querySelectorAll("g.node")].map((node) => [/-(n\d+)-\d+$/.exec(node.id)?.[1] ?? node.id, said(node)])),
      edges: [...main.querySelectorAll("path.flowchart-link")].map((path) => ({
        ends: (path.dataset.id ?? path.id).split("_").slice(1, 3).join(" "),
        dotted: path.classList.contains("edge-pattern-dotted"),
        style: path.getAttribute("style"),
      })),
      // Parts that only a label that was obeyed could have made.
      foreign: [...main.querySelectorAll("a, script, img, iframe, [onclick], [onerror], .clickable")].map((part) => part.outerHTML.slice(0, 200)),
    };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
}

const found = {};
for (const [name, source] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) found[name] = await page.evaluate(read, source);
await browser.close();
process.stdout.write(JSON.stringify({ found, requests }));
