// Uses the HTML reports in DIR like a reviewer, in Chromium.
//
//   node tests/browser/report.mjs DIR             # runs the checks, and prints the times of long reports
//   node tests/browser/report.mjs DIR --times     # prints only the times
//   node tests/browser/report.mjs DIR --pictures  # writes the pictures of docs/reviewing.md
//
// tests/it/html_browser.rs writes DIR and runs the checks. `npm ci --prefix tests/browser` installs what they need.
import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { existsSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

const [directory, mode] = process.argv.slice(2);
const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
const browser = await chromium.launch({
  executablePath: process.env.PATH.split(path.delimiter).map((folder) => path.join(folder, "chromium")).find(existsSync),
  // In a container, the sandbox of Chromium needs privileges that root does not have.
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});

/** Opens a page. Requests, dialogs and errors of the page fail the check. */
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(path.join(directory, name)).href;
  page.problems = [];
  page.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== address && url !== "data:,") page.problems.push("request: " + url);
  });
  page.on("dialog", (dialog) => {
    page.problems.push("dialog: " + dialog.message());
    dialog.dismiss();
  });
  page.on("pageerror", (error) => page.problems.push("error: " + error.message));
  page.on("console", (message) => page.problems.push("console: " + message.text()));
  await page.goto(address + (options.fragment || ""));
  if (options.javaScriptEnabled !== false) await ready(page);
  return page;
}

/** Waits until the script has read all rows. */
const ready = (page) => page.waitForFunction(() => /\d+ rows?( match)?$/.test(document.querySelector("[role=status]").textContent));

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

const status = (page) => page.getByRole("status").textContent();
const filterBox = (page) => page.getByRole("searchbox");
const names = (page, section) =>
  page.locator("section", { has: page.getByRole("heading", { name: section }) }).locator("tbody tr:not(.more) td:nth-child(3)").allTextContents();

const checks = {
  async "typing filters by name, boundary, ARN, file and reason"() {
    const page = await open("review.html");
    assert.equal(await status(page), "18 rows");
    for (const [text, count] of [
      ["ALICE.novak", 1], ["operator", 4], ["policy/Operator", 4], ["boundaries.toml", 17], ["sec-482", 1],
      ["role etl", 1], ["no-such-name", 0],
    ]) {
      await filterBox(page).fill(text);
      await page.waitForFunction((count) => document.querySelector("[role=status]").textContent === count + " of 18 rows match", String(count));
      assert.equal(await page.locator("table.list tbody tr:visible").count(), count, text);
    }
    await page.getByRole("button", { name: "Clear" }).click();
    assert.equal(await status(page), "18 rows");
    await close(page);
  },

  async "each filter works, and together they are a link"() {
    const page = await open("review.html");
    await page.getByLabel("action").selectOption("add");
    assert.equal(await status(page), "10 of 18 rows match");
    await page.getByLabel("kind").selectOption("role");
    assert.equal(await status(page), "3 of 18 rows match");
    await page.getByLabel("decided by").selectOption({ label: "rule, line 16 (1)" });
    assert.equal(await status(page), "1 of 18 rows match");
    const fragment = new URL(page.url()).hash;
    const linked = await open("review.html", { fragment });
    assert.equal(await status(linked), "1 of 18 rows match");
    assert.equal(await linked.getByLabel("kind").inputValue(), "role");
    await close(linked);
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("severity").selectOption("error");
    assert.equal(await status(page), "2 of 18 rows match");
    const hidden = page.getByRole("heading", { name: "From this change" });
    assert.equal(await hidden.isVisible(), false);
    await page.getByRole("link", { name: "From this change" }).click();
    assert.equal(await hidden.isVisible(), true, "a link to a hidden section shows it");
    assert.equal(await status(page), "18 rows");
    await close(page);
  },

  async "the account is a filter if there are several"() {
    const page = await open("accounts.html");
    await page.getByRole("combobox", { name: "account" }).selectOption({ index: 1 });
    assert.equal(await status(page), "1 of 3 rows match");
    await page.getByRole("button", { name: "Details of user payments-000000" }).click();
    assert.match(await page.locator("tr.more").textContent(), /arn:aws:iam::222222222222:policy\/Developer/);
    await close(page);
  },

  async "a click on a column sorts, and a screen reader hears it"() {
    const page = await open("review.html");
    const section = page.locator("section", { has: page.getByRole("heading", { name: /^From this change/ }) });
    const head = section.getByRole("columnheader", { name: "name" });
    const before = await names(page, /^From this change/);
    const sorted = [...before].sort();
    await head.getByRole("button").focus();
    await page.keyboard.press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "name", "the focus stays");
    assert.deepEqual(await names(page, /^From this change/), sorted);
    await head.getByRole("button").click();
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    assert.deepEqual(await names(page, /^From this change/), sorted.toReversed());
    await head.getByRole("button").click();
    assert.equal(await head.getAttribute("aria-sort"), null);
    assert.deepEqual(await names(page, /^From this change/), before);
    await section.getByRole("columnheader", { name: "action" }).getByRole("button").click();
    const actions = await section.locator("tbody tr td:first-child").allTextContents();
    assert.deepEqual([actions[0], actions[1], actions.at(-1)], ["remove", "change", "add"]);
    await section.getByRole("columnheader", { name: "line" }).getByRole("button").click();
    const lines = await section.locator("tbody tr td:nth-child(6)").allTextContents();
    const numbers = lines.map((line) => parseInt(line, 10));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    await close(page);
  },

  async "details open and close, and survive sorting"() {
    const page = await open("review.html");
    const button = page.getByRole("button", { name: "Details of user legacy-backup" });
    await button.click();
    assert.equal(await button.getAttribute("aria-expanded"), "true");
    const details = await page.locator("tr.more").textContent();
    for (const part of [
      "removes the boundary", "arn:aws:iam::123456789012:policy/Operator", "boundaries.toml:29",
    ]) {
      assert.ok(details.includes(part), details);
    }
    await page.getByRole("columnheader", { name: "name" }).nth(1).getByRole("button").click();
    assert.equal(await page.locator("tr.more").count(), 1);
    await button.click();
    assert.equal(await page.locator("tr.more").count(), 0);
    await close(page);
  },

  async "everything works with the keyboard"() {
    const page = await open("review.html");
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.type), "search");
    await page.keyboard.type("contractor-017/");
    assert.equal(await filterBox(page).inputValue(), "contractor-017/");
    await page.keyboard.press("Backspace");
    await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "1 of 18 rows match");
    const reached = [];
    for (let n = 0; n < 20; n += 1) {
      await page.keyboard.press("Tab");
      const label = await page.evaluate(() => document.activeElement.ariaLabel);
      reached.push(label);
      if (label) break;
    }
    assert.equal(reached.at(-1), "Details of user contractor-017");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("tr.more").count(), 1);
    await page.keyboard.press("Space");
    assert.equal(await page.locator("tr.more").count(), 0);
    await filterBox(page).focus();
    await page.keyboard.press("Escape");
    assert.equal(await status(page), "18 rows");
    await close(page);
  },

  async "a screen reader gets tables, headings, labels and the numbers of the picture"() {
    const page = await open("review.html");
    const session = await page.context().newCDPSession(page);
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    const of = (role) => nodes.filter((node) => !node.ignored && node.role?.value === role);
    const rows = await page.locator("tr").count();
    assert.equal(of("row").length, rows, "the layout of a list keeps the roles of its rows");
    assert.equal(of("cell").length, await page.locator("td").count());
    for (const role of ["button", "combobox", "searchbox", "table", "region", "image"]) {
      const unnamed = of(role).filter((node) => role !== "table" && !node.name?.value);
      assert.ok(of(role).length > 0 && unnamed.length === 0, role);
    }
    const picture = await page.locator("svg.bar").getAttribute("aria-label");
    assert.match(picture, /212 users and 31 roles as the files say/);
    assert.match(picture, /5 users unlisted, without any boundary/);
    assert.match(await page.locator(".legend").textContent(), /unlisted, without any boundary/);
    await close(page);
  },

  async "hostile text is only text"() {
    for (const javaScriptEnabled of [true, false]) {
      const page = await open("hostile.html", { javaScriptEnabled });
      const foreign = await page.locator("img, iframe, object, b, script:not(:last-of-type), [onerror]").count();
      assert.equal(foreign, 0);
      assert.equal(await page.locator("a:not([href^='#'])").count(), 0);
      const text = await page.locator("main").innerText();
      assert.ok(text.includes("<img src=x onerror=alert(1)>"), text);
      assert.ok(text.includes("\\u{202e}") && !text.includes("\u202e"), text);
      if (javaScriptEnabled) {
        const buttons = page.locator("button.details");
        for (let n = 0; n < (await buttons.count()); n += 1) await buttons.nth(n).click();
        await filterBox(page).fill("<img onerror");
        await page.waitForFunction(() => /match$/.test(document.querySelector("[role=status]").textContent));
        assert.equal(await page.locator("img, iframe, [onerror]").count(), 0);
      }
      await close(page);
    }
  },

  async "hostile rows of a long list are only text"() {
    const page = await open("hostile-long.html");
    await filterBox(page).fill("user-05200");
    await page.waitForFunction(() => document.querySelector("[role=status]").textContent.startsWith("1 of"));
    assert.equal(await page.locator("img, iframe, [onerror]").count(), 0);
    assert.ok((await page.locator("table.list tbody tr:visible").first().innerText()).includes("</noscript></code><img src=x"));
    await close(page);
  },

  async "the policy of the page allows nothing from outside"() {
    const page = await open("review.html");
    const failed = await page.evaluate(async () => {
      const violations = [];
      document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      const image = document.createElement("img");
      image.src = "https://x.example/a.png";
      document.body.append(image);
      await fetch("https://x.example/").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { violations, ran: window.ran === true };
    });
    assert.equal(failed.ran, false);
    assert.deepEqual([...failed.violations].sort(), ["connect-src", "img-src", "script-src-elem"]);
    await page.context().close();
  },

  async "without JavaScript every row is there"() {
    const page = await open("5001.html", { javaScriptEnabled: false });
    assert.equal(await page.locator("table.list tbody tr").count(), 5001);
    assert.equal(await page.locator("#filters").isVisible(), false);
    const review = await open("review.html", { javaScriptEnabled: false });
    await review.getByText("What the terms mean").click();
    assert.ok(await review.getByText("limits what a user or role can do").isVisible());
    await close(review);
    await close(page);
  },

  async "dark mode and small screens are readable"() {
    for (const colorScheme of ["light", "dark"]) {
      const page = await open("review.html", { colorScheme, viewport: { width: 400, height: 800 } });
      await page.locator("button.details").first().click();
      await page.locator(".glossary summary").click();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 400, "nothing is cut off");
      const low = await page.evaluate(lowContrasts);
      assert.deepEqual(low, [], colorScheme);
      await close(page);
    }
  },

  async "a printed page has the rows and no controls"() {
    const page = await open("5000.html", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    assert.equal(await filterBox(page).isVisible(), false);
    assert.equal(await page.locator("button:visible:not(th button)").count(), 0);
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".full")).contentVisibility), "visible");
    await close(page);
  },

  async "errors of a file have their lines"() {
    const page = await open("errors.html");
    assert.equal(await page.locator("mark").first().textContent(), "\"develper\"");
    assert.match(await page.locator("tbody tr").first().textContent(), /^2:9unknown short name/);
    await close(page);
  },

  async "a long list shows more rows on demand"() {
    const page = await open("100000.html");
    assert.equal(await page.locator("table.list tbody tr").count(), 5000);
    await page.getByRole("button", { name: "Show 5,000 more" }).click();
    assert.equal(await page.locator("table.list tbody tr").count(), 10000);
    assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^Details of /);
    await filterBox(page).fill("web-099998");
    await page.waitForFunction(() => document.querySelector("[role=status]").textContent === "1 of 100,000 rows match");
    assert.match(await page.locator("table.list tbody tr").innerText(), /web-099998/);
    await page.getByLabel("action").selectOption("remove");
    assert.equal(await status(page), "0 of 100,000 rows match");
    await close(page);
  },
};

/** The texts of the page whose contrast with their background is below 4.5 (WCAG 2.2, 1.4.3). */
function lowContrasts() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = (color) => {
    const [r, g, b] = [...rgb(color)].slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (rgb(color)[3] > 0) return color;
    }
    return "white";
  };
  const low = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!hasText || !element.checkVisibility() || element.closest("svg, option")) continue;
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(background(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) low.add(element.localName + "." + element.className + ": " + contrast.toFixed(2));
  }
  return [...low];
}

/** Prints how long a report takes to open and to filter, in milliseconds: the medians of five. */
async function times(name) {
  const measured = { "first paint": [], loaded: [], "all rows read": [], "filter, few match": [], "filter, most match": [], sort: [] };
  for (let n = 0; n < 5; n += 1) {
    const page = await open(name);
    const navigation = await page.evaluate(() => ({
      paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      loaded: performance.getEntriesByType("navigation")[0].loadEventEnd,
      read: performance.getEntriesByName("rows read")[0].startTime,
    }));
    measured["first paint"].push(navigation.paint);
    measured.loaded.push(navigation.loaded);
    measured["all rows read"].push(navigation.read);
    measured["filter, few match"].push(await page.evaluate(timeToType, "payments-0001"));
    measured["filter, most match"].push(await page.evaluate(timeToType, "dev"));
    measured.sort.push(await page.evaluate(timeToSort));
    await close(page);
  }
  const medians = Object.entries(measured).map(([what, all]) => what + " " + Math.round(all.sort((a, b) => a - b)[2]) + " ms");
  console.log(name + ": " + medians.join(", "));
}

/** The time until the browser has painted the rows that match. */
async function timeToType(text) {
  const input = document.querySelector("input[type=search]");
  const start = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("input"));
  for (let n = 0; n < 2; n += 1) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  return performance.now() - start;
}

async function timeToSort() {
  const start = performance.now();
  document.querySelector("th[data-column=name] button").click();
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
  return performance.now() - start;
}

/** Writes a picture of the page from the element `first` to the element `last`. */
async function picture(page, name, first, last) {
  const [from, to] = await Promise.all([first.boundingBox(), last.boundingBox()]);
  const clip = { x: 0, y: Math.max(0, from.y - 16), width: 1000, height: to.y + to.height + 16 - Math.max(0, from.y - 16) };
  await page.screenshot({ path: path.join(docs, name), fullPage: true, clip });
  await close(page);
}

async function pictures() {
  const viewport = { width: 1000, height: 3000 };
  const summary = await open("review.html", { viewport });
  await picture(summary, "report-summary.png", summary.locator("h1"), summary.locator("nav"));
  const details = await open("review.html", { viewport });
  await details.getByLabel("action").selectOption("remove");
  await details.getByRole("button", { name: "Details of user legacy-backup" }).click();
  await picture(details, "report-details.png", details.locator("#filters"), details.locator("tr.more"));
}

let failures = 0;
try {
  if (mode === "--pictures") {
    await pictures();
  } else {
    for (const [name, check] of mode === "--times" ? [] : Object.entries(checks)) {
      try {
        await check();
        console.log("ok: " + name);
      } catch (error) {
        failures += 1;
        console.log("FAILED: " + name + "\n" + error.stack);
      }
    }
    await times("5000.html");
    await times("100000.html");
  }
} finally {
  await browser.close();
}
process.exitCode = failures === 0 ? 0 : 1;
