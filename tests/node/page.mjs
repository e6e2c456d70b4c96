// Opens report pages in Chromium and says what it found, as JSON on stdout. What to look at is the first argument:
// "look" for errors, requests and what axe says at each width and scheme, "walk" for where the keys lead,
// "print" for what changes on paper, "paper" for the printed pages beside the file, "time" for how long opening takes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const [mode, modules, chromium, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browser = await require("playwright-core").chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });

async function opened(file, options, look) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const heard = { errors: [], requests: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && heard.errors.push(message.text()));
  page.on("pageerror", (error) => heard.errors.push(error.message));
  page.on("dialog", (dialog) => heard.errors.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("request", (request) => heard.requests.push(request.url()));
  const address = pathToFileURL(file).href;
  await page.goto(address);
  const found = await look(page);
  await context.close();
  return { ...found, errors: heard.errors, requests: heard.requests.filter((url) => url !== address && url !== "data:,") };
}

async function accessible(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  await page.addStyleTag({ content: "* { content-visibility: visible !important }" });
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return {
    violations: result.violations.map((rule) => `${rule.id}: ${rule.nodes.slice(0, 3).map((node) => node.target)}`),
    overflow: await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
  };
}

const focused = (page) =>
  page.evaluate(() => (document.activeElement.ariaLabel ?? document.activeElement.textContent).trim().slice(0, 60));

async function walked(page) {
  const pressed = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
    return focused(page);
  };
  const stops = [];
  for (let stop = 0; stop < 6; stop += 1) stops.push(await pressed("Tab"));
  const result = { stops };
  if (await page.$("#icicle")) {
    await page.focus("#icicle [tabindex='0']");
    result.down = await pressed("ArrowDown", "ArrowDown");
    result.right = await pressed("ArrowUp", "ArrowRight");
    await page.keyboard.press("Enter");
    result.zoomed = await page.evaluate(() => document.activeElement.offsetWidth / document.querySelector("#icicle").offsetWidth);
    await page.keyboard.press("Escape");
    result.escaped = await page.evaluate(() => document.activeElement.offsetWidth / document.querySelector("#icicle").offsetWidth);
    result.said = await page.textContent("#icicle-said");
    result.stopsInTree = await page.evaluate(() => document.querySelectorAll("#icicle [tabindex='0']").length);
  }
  return result;
}

async function printed(page) {
  const before = await page.evaluate(() => document.querySelectorAll("details.notable:not([open])").length);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  const during = await page.evaluate(() => document.querySelectorAll("details.notable:not([open])").length);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  const after = await page.evaluate(() => document.querySelectorAll("details.notable:not([open])").length);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const look = await page.evaluate(() => ({
    navigation: getComputedStyle(document.querySelector("nav")).display,
    background: getComputedStyle(document.body).backgroundColor,
  }));
  return { before, during, after, ...look };
}

async function onPaper(page) {
  const path = `${fileURLToPath(page.url())}.pdf`;
  await page.pdf({ path, format: "A4" });
  return { path };
}

async function timed(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return {
    milliseconds: await page.evaluate(() => performance.now()),
    functions: await page.evaluate(() => document.querySelectorAll("table.functions tbody tr").length),
  };
}

const desktop = { viewport: { width: 1280, height: 900 } };
const modes = {
  look: async (file) => {
    const looks = [];
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1280, 390]) {
        const options = { viewport: { width, height: 900 }, colorScheme, bypassCSP: true };
        looks.push({ colorScheme, width, ...(await opened(file, options, accessible)) });
      }
    }
    return looks;
  },
  walk: (file) => opened(file, desktop, walked),
  print: (file) => opened(file, desktop, printed),
  paper: (file) => opened(file, desktop, onPaper),
  time: (file) => opened(file, desktop, timed),
};

const report = {};
for (const file of files) (report[file] ??= []).push(await modes[mode](file));
await browser.close();
process.stdout.write(JSON.stringify(report));
