// Takes the pictures in docs/images of a report page:
//   gate demo --report html > report.html
//   node tests/node/screenshots.mjs tests/node/node_modules "$(command -v chromium)" report.html docs/images
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, chromium, file, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const browser = await require("playwright-core").chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });

async function picture(name, colorScheme, height, from) {
  const page = await browser.newPage({ viewport: { width: 1200, height }, colorScheme, reducedMotion: "reduce" });
  await page.goto(pathToFileURL(file).href);
  if (from) await page.evaluate((id) => document.getElementById(id).scrollIntoView(), from);
  await page.screenshot({ path: `${folder}/${name}.png` });
  await page.close();
}

await picture("html-verdict", "light", 900, null);
await picture("html-production", "dark", 900, "production");
await browser.close();
