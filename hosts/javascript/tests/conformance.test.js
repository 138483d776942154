// The table of `hosts/conformance`, whose README.md describes it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** The hosts, and the entries of the package that they import; QUEUE_STORE_ENTRY chooses one. */
const ENTRIES = { javascript: "queue-store", "javascript-portable": "queue-store/portable" };
const CHOSEN = process.env.QUEUE_STORE_ENTRY;

/** The URL of a database in which the rows have their queues, instead of directories. */
const DATABASE = process.env.QUEUE_STORE_DATABASE;

// `hosts/javascript/test` runs this in `javascript/empty` of the target directory, by default `target` in the project.
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const OTHER = process.env.QUEUE_STORE_CONFORMANCE;
const TABLE = JSON.parse(readFileSync(join(OTHER ?? at("../../../hosts/conformance"), "table.json"), "utf8"));
const RESULTS = OTHER ?? at("../../conformance");

for (const [host, entry] of Object.entries(ENTRIES)) {
  const isChosen = CHOSEN === undefined || CHOSEN === entry;
  // The portable entry opens directories alone.
  if (!isChosen || (DATABASE !== undefined && entry !== "queue-store")) {
    continue;
  }
  test(`every row of the table has its results: ${entry}`, async () => {
    const results = join(RESULTS, `${host}${DATABASE === undefined ? "" : "-postgres"}.json`);
    rmSync(results, { force: true });
    const module = await import(entry);
    const rows = {};
    for (const row of TABLE.rows) {
      rows[row.name] = await runRow(row, host, module);
    }
    const { version } = JSON.parse(readFileSync(at("node_modules/queue-store/package.json"), "utf8"));
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(results, `${JSON.stringify({ version, rows }, null, 2)}\n`);
    const bad = process.env.QUEUE_STORE_REQUIRE_ALL === "1" ? ["failed", "missing"] : ["failed"];
    assert.deepEqual(Object.keys(rows).filter((name) => bad.includes(rows[name])), []);
  });
}

/**
 * Runs a row: "passed", "skipped", "missing" (a requirement) or "failed". Prints the reason.
 *
 * A row that the table skips runs too, and fails if it passes.
 */
async function runRow({ name, steps, requires, cleanup, skip: skips }, host, module) {
  // The host `postgres` is Rust, with its reasons and those of the database.
  const skip = skips?.[host] ?? (DATABASE === undefined || skips?.rust ? undefined : skips?.postgres);
  const directory = mkdtempSync(join(tmpdir(), "queue-store-"));
  let [result, reason] = ["missing", requires?.reason];
  if (requires === undefined || shell(directory, requires.script).status === 0) {
    try {
      await new Session(module, directory, { ...TABLE.values, host }).run(steps);
      [result, reason] = skip ? ["failed", "it passes, and the table skips it"] : ["passed"];
    } catch (error) {
      [result, reason] = skip ? ["skipped", skip] : ["failed", error.message.split("\n")[0]];
    }
    if (cleanup !== undefined) {
      assert.equal(shell(directory, cleanup).status, 0);
    }
  }
  rmSync(directory, { recursive: true });
  if (result !== "passed") {
    console.log(`${host}: ${result}: ${name}: ${reason}`);
  }
  return result;
}

function shell(cwd, script) {
  return spawnSync("sh", ["-c", script], { cwd, encoding: "utf8" });
}

/** The state that the steps of a row share: the queue, the draft, and the values of earlier steps. */
class Session {
  constructor(module, directory, values) {
    this.module = module;
    this.directory = directory;
    this.values = values;
  }

  /** Runs steps, and rejects at the first with another answer than the table's. */
  async run(steps) {
    for (const step of steps) {
      const { call, result: expected, error: expectedError, as, steps: inner, ...given } = step;
      const run = CALLS[call];
      assert(run, `there is no call ${call}`);
      const values = this.resolve(given);
      let [result, error] = [undefined, undefined];
      try {
        // A database has no files to look at.
        const isLook = DATABASE !== undefined && call === "shell" && expected !== undefined;
        result = isLook ? this.resolve(expected) : await run(this, values, inner);
      } catch (failure) {
        error = this.code(failure);
      }
      assert.equal(error, expectedError, `${JSON.stringify(step)}: the error is ${error}`);
      const matches = expected === undefined || contains(result, this.resolve(expected));
      assert(matches, `${JSON.stringify(step)}: the result is ${JSON.stringify(result)?.slice(0, 1000)}`);
      if (as !== undefined) {
        this.values[as] = result;
      }
    }
  }

  /** Replaces names of values, and repetitions. */
  resolve(value) {
    if (typeof value === "string") {
      return value.startsWith("$") ? this.resolve(this.values[value.slice(1)]) : value;
    }
    if (Array.isArray(value)) {
      return value.map((element) => this.resolve(element));
    }
    if (value === null || typeof value !== "object") {
      return value;
    }
    if (value.repeat !== undefined) {
      return this.resolve(value.repeat).repeat(value.times);
    }
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, this.resolve(field)]));
  }

  /** Returns a mail whose missing fields are those of the table's, with the names of JavaScript. */
  mail(fields) {
    const mail = { ...this.resolve(TABLE.mail), ...fields };
    return { ...camelCase(mail), body: Buffer.from(mail.body, "base64") };
  }

  code(error) {
    if (error instanceof this.module.QueueError) {
      return error.code;
    }
    // Of the package's own: one of the engine is a bug, and has another text.
    if (error instanceof TypeError && error.message.includes(", and not ")) {
      return "invalid-argument";
    }
    throw error;
  }
}

/** The calls: of a session, the arguments, and the steps within the step. */
const CALLS = {
  open: async (session, given) => {
    const { path = "queue", ...options } = given;
    if (DATABASE !== undefined) {
      assert.deepEqual(given, {}, "a database has no paths");
      const separator = DATABASE.includes("?") ? "&" : "?";
      session.queue = await session.module.Queue.open(`${DATABASE}${separator}queue=${basename(session.directory)}`);
      return;
    }
    session.queue = await session.module.Queue.open(path && resolve(session.directory, path), options);
  },
  put: (session, fields) => {
    const { body, ...options } = session.mail(fields);
    return session.queue.put(body, options);
  },
  "put-many": async (session, { mails }) =>
    outcomes(await session.queue.putMany(mails.map((fields) => session.mail(fields)))),
  submit: (session, fields) => {
    const { body, ...options } = session.mail(fields);
    return session.queue.submit(body, options);
  },
  "new-id": ({ queue }) => queue.newId(),
  begin: (session, fields) => {
    const { body: _, ...options } = session.mail(fields);
    session.draft = session.queue.draft(options);
    // An error is an event too, which is thrown where nothing listens.
    session.draft.on("error", () => {});
    return written(session.draft, Buffer.alloc(0));
  },
  write: ({ draft }, { bytes }) => written(draft, Buffer.from(bytes, "base64")),
  commit: ({ draft }) => draft.commit(),
  abandon: ({ draft }) => draft[Symbol.asyncDispose](),
  read: async ({ queue }, { id, offset }) => {
    const chunks = [];
    for await (const chunk of queue.body(id, { offset })) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("base64");
  },
  get: async ({ queue }, { id }) => {
    const item = await queue.get(id);
    return { id: item.id, ...envelope(item), body: item.body.toString("base64") };
  },
  info: async ({ queue }, { id }) => {
    const info = await queue.info(id);
    return { ...kebabCase(info), ...envelope(info) };
  },
  revision: async ({ queue }, { id }) => (await queue.info(id)).revision,
  list: async ({ queue }, options) => {
    const entries = [];
    for await (const { id, state, info, problem } of queue.items(options)) {
      entries.push({ id, state, problem: problem?.code ?? null, ...(info && envelope(info)) });
    }
    return entries.sort((one, other) => (one.id < other.id ? -1 : 1));
  },
  count: ({ queue }) => queue.count(),
  verify: async ({ queue }, { ids }) => outcomes(await queue.verify(ids)),
  update: ({ queue }, { id, ...change }) => queue.update(id, camelCase(change)),
  "record-attempts": ({ queue }, { id, attempts, ...options }) =>
    queue.recordAttempts(id, attempts, camelCase(options)),
  "set-state": async ({ queue }, { id, state }) => single(await queue.setState([id], state)),
  "set-state-many": async ({ queue }, { ids, state }) => outcomes(await queue.setState(ids, state)),
  remove: ({ queue }, { id }) => queue.remove(id),
  "remove-many": async ({ queue }, { ids, states }) => outcomes(await queue.removeMany(ids, { states })),
  seal: async ({ queue }, { ids }) => outcomes(await queue.seal(ids)),
  recover: async ({ queue }, { grace }) => {
    const recovery = await queue.recover({ graceSeconds: grace });
    return { ...kebabCase(recovery), problems: recovery.problems.length };
  },
  "needs-recovery": ({ queue }) => queue.needsRecovery,
  shell: ({ directory }, { script }) => {
    const { status, stdout, stderr } = shell(directory, script);
    assert.equal(status, 0, stderr);
    return stdout;
  },
  "at-once": async (session, { times }, steps) => {
    const sessions = Array.from({ length: times }, () =>
      Object.assign(new Session(session.module, session.directory, { ...session.values }), { queue: session.queue }),
    );
    await Promise.all(sessions.map((one) => one.run(steps)));
  },
  fork: () => assert.fail("Node.js does not fork itself"),
};

function written(draft, chunk) {
  return new Promise((resolve, reject) => draft.write(chunk, (error) => (error ? reject(error) : resolve())));
}

function single(outcomes) {
  for (const { problem } of outcomes) {
    if (problem) {
      throw problem;
    }
  }
}

function outcomes(outcomes) {
  return outcomes.map(({ id, problem }) => ({ id, problem: problem?.code ?? null }));
}

function envelope({ envelope: { reversePath, ...fields } }) {
  return { sender: reversePath, ...kebabCase(fields) };
}

const camelCase = (value) => renamed(value, (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()));
const kebabCase = (value) => renamed(value, (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));

/** Renames the fields of records, and of those within. */
function renamed(value, rename) {
  if (Array.isArray(value)) {
    return value.map((element) => renamed(element, rename));
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [rename(name), renamed(field, rename)]));
}

/** Returns whether a result has every field that is expected. */
function contains(actual, expected) {
  if (Array.isArray(expected)) {
    return actual?.length === expected.length && expected.every((element, index) => contains(actual[index], element));
  }
  if (expected !== null && typeof expected === "object") {
    return Object.entries(expected).every(([name, field]) => contains(actual?.[name], field));
  }
  return actual === expected;
}
