// Opens pictures in Chromium and says what it drew, as JSON on stdout: the root element, the words, what the browser
// complained of or asked for, elements that run or load something, and words that stand outside the picture.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, chromium, ...files] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const browser = await require("playwright-core").chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
let heard = [];
page.on("console", (message) => heard.push(message.text()));
page.on("pageerror", (error) => heard.push(error.message));
page.on("dialog", (dialog) => heard.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
page.on("request", (request) => heard.push(request.url()));

function look() {
  const root = document.documentElement;
  const texts = [...document.querySelectorAll("text")];
  return {
    root: root.localName,
    words: texts.map((text) => text.textContent),
    foreign: [...document.querySelectorAll("script, foreignObject, image, use, a, animate, set, iframe, [onload]")].map((part) => part.outerHTML.slice(0, 200)),
    outside: texts
      .filter((text) => text.textContent.trim())
      .filter((text) => {
        const [box, frame] = [text.getBoundingClientRect(), root.getBoundingClientRect()];
        return box.left < frame.left || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      })
      .map((text) => text.textContent),
  };
}

const found = {};
for (const file of files) {
  heard = [];
  const address = pathToFileURL(file).href;
  await page.goto(address);
  found[file] = { ...(await page.evaluate(look)), heard: heard.filter((text) => text !== address) };
}
await browser.close();
process.stdout.write(JSON.stringify(found));
