// The examples of README.md, run as they stand, as one module.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ENTRY } from "./entry.js";

test("the examples run in order", () => {
  const all = [...readFileSync("README.md", "utf8").matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);
  // `hosts/conformance/postgres` runs the example that needs a database.
  const database = process.env.QUEUE_STORE_DATABASE;
  const blocks = all
    .filter((block) => database !== undefined || !block.includes("postgres://"))
    .map((block) => block.replace(/postgres:\/\/[^?]*/, database ?? ""));
  assert(blocks.length >= 3);
  const directory = mkdtempSync(join(tmpdir(), "queue-store-"));
  try {
    symlinkSync(join(process.cwd(), "node_modules"), join(directory, "node_modules"));
    writeFileSync(join(directory, "mail.eml"), `Subject: large\r\n\r\n${"x".repeat(100_000)}`);
    writeFileSync(join(directory, "example.mjs"), blocks.join("\n").replace('from "queue-store"', `from "${ENTRY}"`));
    execFileSync(process.execPath, ["example.mjs"], { cwd: directory });
    assert.deepEqual(readFileSync(join(directory, "copy.eml")), readFileSync(join(directory, "mail.eml")));
    assert.deepEqual(readdirSync(join(directory, "mails")), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
