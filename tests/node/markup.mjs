// What html-validate finds in pages, as JSON on stdout: a list of {file, line, rule, message}. The arguments are the
// folder of packages and the files.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const { HtmlValidate, StaticConfigLoader } = createRequire(pathToFileURL(`${modules}/`))("html-validate");
// "standard" is what the HTML and ARIA specifications ask; matters of taste are left out. A list may have a name: its
// script makes it a tree, which must have one.
const rules = { "aria-label-misuse": ["error", { allowAnyNamable: true }] };
const extended = ["html-validate:standard", "html-validate:a11y"];
const validator = new HtmlValidate(new StaticConfigLoader({ root: true, extends: extended, rules }));
const found = [];
for (const file of files) {
  const report = await validator.validateFile(file);
  for (const { filePath, messages } of report.results)
    for (const { line, ruleId, message } of messages) found.push({ file: filePath, line, rule: ruleId, message });
}
process.stdout.write(JSON.stringify(found));
