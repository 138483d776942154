// Every function of the contract, with every type that it takes and returns.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { bytes, envelope, listed, mail, names, openHost, openQueue } from "./support.js";
import { recipient, recovery, refused, text } from "./support.js";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index);

export function componentDescribesItself() {
  const { introspection, queueStore } = openHost();
  const about = Object.fromEntries(introspection.about());
  assert.deepEqual([about.name, about.contract], ["queue-store", "mail:queue@0.1.0"]);
  assert.equal(Object.fromEntries(introspection.limits())["max-chunk-bytes"], 65_536n);
  assert.equal(Object.fromEntries(introspection.counters()).puts, 0n);
  assert.equal(queueStore.newId().length, 11);
}

export function mailIsPutListedReadAndRemoved() {
  const queue = openQueue();
  const id = queue.put(undefined, mail(EVERY_BYTE));
  assert.deepEqual(names(), [`m:${id}`]);
  assert.deepEqual(queue.get(id), { id, envelope: envelope(), body: EVERY_BYTE });
  const info = queue.info(id);
  assert.notEqual(info.revision, "");
  assert.deepEqual(info, {
    id,
    state: "ready",
    format: "text",
    integrity: "envelope",
    envelope: envelope(),
    fileSize: fs.statSync(`queue/m:${id}`, { bigint: true }).size,
    bodySize: 256n,
    revision: info.revision,
    recordedId: undefined,
  });
  assert.deepEqual(listed(queue, ["ready"]), [{ id, state: "ready", info, problem: undefined }]);
  assert.deepEqual(listed(queue, ["held", "quarantined"]), []);
  const counts = { ready: 1n, held: 0n, quarantined: 0n, temporary: 0n, foreign: 0n };
  assert.deepEqual(queue.count(), counts);
  assert.deepEqual(queue.verify([id]), [{ id, problem: undefined }]);
  assert.deepEqual(queue.recover(129_600), recovery({ durableItems: 1n }));
  assert.deepEqual(queue.remove([id], []), [{ id, problem: undefined }]);
  assert.deepEqual(names(), []);
}

export function emptyRecipientsBecomeOneDeliveryPerAddress() {
  const queue = openQueue();
  const id = queue.put(undefined, mail("", { to: ["b@example.com", "c@example.com"], recipients: [] }));
  const expected = [recipient("b@example.com"), recipient("c@example.com")];
  assert.deepEqual(queue.get(id).envelope.recipients, expected);
}

export function updateChangesTheEnvelopeAndKeepsTheBody() {
  const queue = openQueue();
  queue.put("x", mail(EVERY_BYTE), { durability: "content-only", format: "binary", maxItems: 1n });
  const { format, revision, envelope: { recipients: [delivery] } } = queue.info("x");
  assert.equal(format, "binary");
  // A record that came out goes in again.
  Object.assign(delivery, { status: 2, lastFailureMessage: "550 5.1.1 no such user \u{1F615}" });
  const createdAt = { seconds: -1n, nanos: 0 };
  const change = { to: [], recipients: [delivery], createdAt, ifRevision: revision };
  const updated = queue.update("x", change, "full");
  assert.ok(!["", revision].includes(updated));
  const item = queue.get("x");
  assert.deepEqual([item.envelope.reversePath, item.envelope.to, item.body], ["a@example.com", [], EVERY_BYTE]);
  assert.deepEqual([item.envelope.recipients, item.envelope.createdAt], [[delivery], createdAt]);
}

export function attemptsAreRecorded() {
  const queue = openQueue();
  queue.put("x", mail("", { recipients: [recipient("b@x"), recipient("c@x")] }));
  const attempts = [{ recipient: 1, status: 2, message: "first" }, { recipient: 1, status: 1, message: "" }];
  const revision = queue.recordAttempts("x", attempts, queue.info("x").revision);
  const info = queue.info("x");
  assert.deepEqual([info.revision, ...info.envelope.recipients.map(({ status }) => status)], [revision, 0, 1]);
}

export function itemGoesThroughEveryState() {
  const queue = openQueue();
  const done = (outcomes) => assert.deepEqual(outcomes, [{ id: "x", problem: undefined }]);
  queue.put("x", mail());
  for (const state of ["held", "ready", "quarantined", "ready", "quarantined"]) {
    done(queue.setState(["x"], state));
    assert.equal(queue.info("x").state, state);
    done(queue.seal(["x"]));
  }
  assert.deepEqual(listed(queue, ["quarantined"], "name").map(({ id }) => id), ["x"]);
  done(queue.remove(["x"], ["quarantined"], "none"));
  assert.deepEqual(names(), []);
}

export function severalMailsArePutAtOnce() {
  const queue = openQueue();
  const [one, two, three] = ["1", "2", "3"].map((body) => mail(body));
  const mails = [{ id: "x", mail: one }, { mail: two }, { id: "x", mail: three }, { id: "", mail: one }];
  const outcomes = queue.putMany(mails);
  const codes = outcomes.map((outcome) => outcome.problem?.code);
  assert.deepEqual(codes, [undefined, undefined, "exists", "invalid-argument"]);
  assert.equal(text(queue.get("x").body), "1");
  assert.equal(text(queue.get(outcomes[1].id).body), "2");
}

export function megabyteIsStreamedInAndOut() {
  const host = openHost();
  const { Draft } = host.queueStore;
  const queue = openQueue(host);
  const body = randomBytes(1 << 20);
  for (const format of ["text", "binary"]) {
    const draft = queue.begin(format, envelope(), { format });
    for (let offset = 0; offset < body.length; offset += 65_536) {
      assert.equal(draft.write(body.subarray(offset, offset + 65_536)), undefined);
    }
    assert.equal(Draft.commit(draft), format);
    const reader = queue.read(format, 0n);
    assert.equal(reader.info().bodySize, BigInt(body.length));
    const chunks = [];
    for (let chunk; (chunk = reader.read(65_536)) !== undefined; chunks.push(chunk)) {
      assert.ok(chunk.length >= 1 && chunk.length <= 65_536);
    }
    assert.ok(Buffer.concat(chunks).equals(body), `another body came back from ${format}`);
    assert.equal(reader.read(65_536), undefined);
    assert.notEqual(reader.info().integrity, "unchecked");
    reader[Symbol.dispose]();
    const last = queue.read(format, BigInt(body.length - 10));
    assert.ok(body.subarray(-10).equals(last.read(65_536)));
    last[Symbol.dispose]();
  }
}

export function draftThatIsGivenUpLeavesNothing() {
  const host = openHost();
  const { Draft } = host.queueStore;
  const queue = openQueue(host);
  for (const giveUp of [(draft) => Draft.abandon(draft), (draft) => draft[Symbol.dispose]()]) {
    const draft = queue.begin("x", envelope());
    draft.write(bytes("body"));
    assert.equal(names().length, 1);
    assert.equal(giveUp(draft), undefined);
    assert.deepEqual(names(), []);
  }
}

export function draftOutlivesItsQueue() {
  const host = openHost();
  const { Draft } = host.queueStore;
  const queue = openQueue(host);
  const draft = queue.begin("x", envelope());
  queue[Symbol.dispose]();
  draft.write(bytes("body"));
  assert.equal(Draft.commit(draft), "x");
  assert.equal(text(openQueue(host).get("x").body), "body");
}

export function listingHasEveryDetail() {
  const queue = openQueue();
  queue.putMany([{ id: "x", mail: mail() }, { id: "y", mail: mail() }]);
  fs.writeFileSync("queue/m:z", "nonsense");
  for (const [detail, integrity] of [["name", undefined], ["envelope", "envelope"], ["whole", "whole"]]) {
    const entries = listed(queue, ["ready"], detail);
    const shown = entries.map(({ id, info, problem }) => [id, info?.integrity, problem?.code]);
    const damaged = detail === "name" ? undefined : "corrupt";
    assert.deepEqual(shown, [["x", integrity, undefined], ["y", integrity, undefined], ["z", undefined, damaged]]);
  }
}

export function pluginSubmitsAndStreams() {
  const host = openHost({ "any name": "queue" });
  const { intake } = host;
  const { Submission } = intake;
  const queue = openQueue(host, "any name");
  const id = intake.submit("a@example.com", ["b@example.com"], bytes("body"));
  const submission = Submission.begin("", ["b@example.com"]);
  assert.equal(submission.write(bytes("streamed")), undefined);
  const streamed = Submission.commit(submission);
  assert.equal(text(queue.get(id).body), "body");
  assert.equal(text(queue.get(streamed).body), "streamed");
  refused("invalid-argument", "", "", () => intake.submit("", ["|reboot"], bytes("")));
  Submission.begin("", ["b@example.com"])[Symbol.dispose]();
  assert.equal(names().length, 2);
}

export function codecKeepsEverything() {
  const { itemCodec } = openHost();
  const odd = {
    address: "\u2603@example.com \" \\ \r \n \t \0 \x7f \x85 \u{10ffff}",
    kind: -(2 ** 31),
    status: 2 ** 31 - 1,
    lastFailureMessage: "",
    originalAddress: "",
    via: ["", "mx"],
  };
  const times = [
    { seconds: -(2n ** 63n), nanos: -(2 ** 31) },
    { seconds: 2n ** 63n - 1n, nanos: 2 ** 31 - 1 },
    { seconds: 0n, nanos: 0 },
    undefined,
  ];
  for (const createdAt of times) {
    const item = { id: "", envelope: envelope({ to: [], recipients: [odd, odd], createdAt }), body: EVERY_BYTE };
    for (const format of ["text", "binary"]) {
      assert.deepEqual(itemCodec.decode(itemCodec.encode(item, format), format), item);
    }
  }
}

export function fileIsWrittenDurably() {
  const { durableFile } = openHost();
  // `limits.js` has a test of the time.
  const operations = [
    { kind: "sync-data" },
    { kind: "set-times", modified: { seconds: 1_000_000_000n, nanos: 5 } },
    { kind: "sync" },
  ];
  assert.equal(durableFile.writeFile("queue/file", EVERY_BYTE, operations, "create-new", "full"), undefined);
  assert.equal(durableFile.writeFile("queue/file", bytes("new"), [], "replace", "content-only"), undefined);
  assert.equal(durableFile.syncFile("queue/file"), undefined);
  assert.equal(text(durableFile.readFile("queue/file")), "new");
  assert.deepEqual(names(), ["file"]);
}

export function recoveryCanBeRequired() {
  const queue = openQueue();
  assert.equal(queue.needsRecovery(), false);
  assert.equal(queue.requireRecovery(), undefined);
  assert.equal(queue.needsRecovery(), true);
  queue.recover(0);
  assert.equal(queue.needsRecovery(), false);
}

export function foreignFilesAreLeftAlone() {
  const host = openHost();
  const queue = openQueue(host);
  queue.put("x", mail());
  fs.writeFileSync(Buffer.from("queue/m:\xff", "latin1"), "");
  fs.writeFileSync("queue/.DS_Store", "");
  fs.mkdirSync("queue/subdirectory");
  fs.symlinkSync("/etc/passwd", "queue/m:escape");
  const everyName = () => fs.readdirSync("queue", { encoding: "latin1" }).sort();
  const before = everyName();
  const problems = listed(queue).map((entry) => [entry.id, entry.problem?.code]);
  assert.deepEqual(problems, [["escape", "unsupported"], ["x", undefined]]);
  assert.equal(queue.recover(0).durableItems, 1n);
  assert.deepEqual(everyName(), before);
  // A queue is not reached through a symbolic link either.
  fs.symlinkSync("subdirectory", "queue/link");
  assert.equal(openQueue(host, "queue/subdirectory").count().ready, 0n);
  refused("unsupported", "resolve", "queue/link", () => openQueue(host, "queue/link"));
}
