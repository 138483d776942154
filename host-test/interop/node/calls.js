// Every function of the contract, with every type that it takes and returns.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { bytes, envelope, mail, names, openQueue, options, recipient, refused, text } from "./support.js";

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index);

export function theComponentSaysWhatItIs() {
  const { queueStore } = openQueue();
  const about = Object.fromEntries(queueStore.about());
  assert.deepEqual([about.name, about.contract], ["queue-store", "mail:queue@0.1.0"]);
  assert.equal(Object.fromEntries(queueStore.limits())["max-chunk-bytes"], 65_536n);
  assert.equal(Object.fromEntries(queueStore.counters()).puts, 0n);
  assert.equal(queueStore.newId().length, 11);
}

export function aMailIsPutListedReadAndRemoved() {
  const { queueStore } = openQueue();
  const id = queueStore.put("queue", undefined, mail(EVERY_BYTE));
  assert.deepEqual(names(), [`m:${id}`]);
  assert.deepEqual(queueStore.listIds("queue", [], undefined, 10), { ids: [id], next: undefined });
  assert.deepEqual(queueStore.get("queue", id), { id, envelope: envelope(), body: EVERY_BYTE });
  const info = queueStore.info("queue", id);
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
    attributes: [],
  });
  const { entries } = queueStore.listItems("queue", ["ready"], undefined, 10);
  assert.deepEqual(entries, [{ id, state: "ready", info, problem: undefined }]);
  assert.deepEqual(queueStore.listItems("queue", ["held", "quarantined"], undefined, 10).entries, []);
  const counts = { ready: 1n, held: 0n, quarantined: 0n, temporary: 0n, foreign: 0n };
  assert.deepEqual(queueStore.count("queue"), counts);
  assert.deepEqual(queueStore.verify("queue", [id]), [{ id, problem: undefined }]);
  const recovery = { items: 1n, swept: 0n, kept: 0n, settled: 0n, problems: [], truncated: false };
  assert.deepEqual(queueStore.recover("queue", 129_600n), recovery);
  assert.deepEqual(queueStore.remove("queue", [id]), [{ id, problem: undefined }]);
  assert.deepEqual(names(), []);
}

export function anUpdateChangesTheEnvelopeAndKeepsTheBody() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail(EVERY_BYTE), options({ durability: "file", format: "binary", maxItems: 1n }));
  const { format, revision, envelope: { recipients: [delivery] } } = queueStore.info("queue", "x");
  assert.equal(format, "binary");
  // What came out goes in again.
  Object.assign(delivery, { status: 2, lastFailureMessage: "550 5.1.1 no such user \u{1F615}" });
  const change = { to: [], recipients: [delivery], ifRevision: revision };
  const updated = queueStore.update("queue", "x", change, options({ format: "binary" }));
  assert.ok(!["", revision].includes(updated));
  const item = queueStore.get("queue", "x");
  assert.deepEqual([item.envelope.reversePath, item.envelope.to, item.body], ["a@example.com", [], EVERY_BYTE]);
  assert.deepEqual(item.envelope.recipients, [delivery]);
}

export function anItemGoesThroughEveryState() {
  const { queueStore } = openQueue();
  const done = (outcomes) => assert.deepEqual(outcomes, [{ id: "x", problem: undefined }]);
  queueStore.put("queue", "x", mail());
  done(queueStore.hold("queue", ["x"]));
  assert.equal(queueStore.info("queue", "x").state, "held");
  done(queueStore.release("queue", ["x"]));
  assert.equal(queueStore.info("queue", "x").state, "ready");
  done(queueStore.quarantine("queue", ["x"]));
  assert.deepEqual(queueStore.listIds("queue", ["quarantined"], undefined, 10).ids, ["x"]);
  done(queueStore.restore("queue", ["x"]));
  done(queueStore.seal("queue", ["x"]));
  done(queueStore.quarantine("queue", ["x"]));
  done(queueStore.discard("queue", ["x"], "none"));
  assert.deepEqual(names(), []);
}

export function severalArePutAtOnce() {
  const { queueStore } = openQueue();
  const mails = [["x", mail("1")], [undefined, mail("2")], ["x", mail("3")], ["", mail()]];
  const outcomes = queueStore.putMany("queue", mails);
  const codes = outcomes.map((outcome) => outcome.problem?.code);
  assert.deepEqual(codes, [undefined, undefined, "exists", "invalid-argument"]);
  assert.equal(text(queueStore.get("queue", "x").body), "1");
  assert.equal(text(queueStore.get("queue", outcomes[1].id).body), "2");
}

export function pagesFollowEachOther() {
  const { queueStore } = openQueue();
  const ids = Array.from({ length: 7 }, (_, number) => `id-0${number}`);
  queueStore.putMany("queue", ids.toReversed().map((id) => [id, mail()]), options({ durability: "none" }));
  const functions = [
    (after) => queueStore.listIds("queue", [], after, 3),
    (after) => {
      const { entries, next } = queueStore.listItems("queue", [], after, 3);
      return { ids: entries.map((entry) => entry.id), next };
    },
  ];
  for (const page of functions) {
    const seen = [];
    let next;
    do {
      const shown = page(next);
      seen.push(...shown.ids);
      next = shown.next;
    } while (next !== undefined);
    assert.deepEqual(seen, ids);
  }
}

export function aMegabyteIsStreamedInAndOut() {
  const { Draft, Body } = openQueue().queueStream;
  const body = randomBytes(1 << 20);
  for (const format of ["text", "binary"]) {
    const draft = Draft.begin("queue", format, envelope(), options({ format }));
    for (let offset = 0; offset < body.length; offset += 65_536) {
      assert.equal(draft.write(body.subarray(offset, offset + 65_536)), undefined);
    }
    assert.equal(Draft.commit(draft), format);
    const reader = Body.open("queue", format, 0n);
    assert.equal(reader.info().bodySize, BigInt(body.length));
    const chunks = [];
    for (let chunk; (chunk = reader.read(65_536)) !== undefined; chunks.push(chunk)) {
      assert.ok(chunk.length >= 1 && chunk.length <= 65_536);
    }
    assert.ok(Buffer.concat(chunks).equals(body), `another body came back from ${format}`);
    // None again, at the end: all was checked.
    assert.equal(reader.read(65_536), undefined);
    assert.notEqual(reader.info().integrity, "unchecked");
    reader[Symbol.dispose]();
    const last = Body.open("queue", format, BigInt(body.length - 10));
    assert.ok(body.subarray(-10).equals(last.read(65_536)));
    last[Symbol.dispose]();
  }
}

export function aDraftThatIsGivenUpLeavesNothing() {
  const { Draft } = openQueue().queueStream;
  for (const giveUp of [(draft) => Draft.abandon(draft), (draft) => draft[Symbol.dispose]()]) {
    const draft = Draft.begin("queue", "x", envelope());
    draft.write(bytes("body"));
    assert.equal(names().length, 1);
    assert.equal(giveUp(draft), undefined);
    assert.deepEqual(names(), []);
  }
}

export function aListingShowsEveryDetail() {
  const { queueStore, queueStream: { Listing } } = openQueue();
  queueStore.putMany("queue", [["x", mail()], ["y", mail()]]);
  fs.writeFileSync("queue/m:z", "nonsense");
  for (const [detail, integrity] of [["name", undefined], ["envelope", "envelope"], ["whole", "whole"]]) {
    const listing = Listing.open("queue", ["ready"], detail);
    const shown = {};
    for (let page; (page = listing.next(2)).length > 0;) {
      for (const { id, info, problem } of page) {
        shown[id] = [info?.integrity, problem?.code];
      }
    }
    listing[Symbol.dispose]();
    const damaged = detail === "name" ? undefined : "corrupt";
    assert.deepEqual(shown, { x: [integrity, undefined], y: [integrity, undefined], z: [undefined, damaged] });
  }
}

export function aPluginSubmitsAndStreams() {
  const { intake, queueStore } = openQueue({ "any name": "queue" });
  const created = { createdAt: undefined };
  const id = intake.submit(mail("body", created));
  const submission = intake.Submission.begin(envelope(created));
  assert.equal(submission.write(bytes("streamed")), undefined);
  const streamed = intake.Submission.commit(submission);
  assert.equal(text(queueStore.get("any name", id).body), "body");
  assert.equal(text(queueStore.get("any name", streamed).body), "streamed");
  const pipe = mail("body", { ...created, recipients: [recipient("|reboot")] });
  refused("invalid-argument", "none", "", () => intake.submit(pipe));
  intake.Submission.begin(envelope(created))[Symbol.dispose]();
  assert.equal(names().length, 2);
}

export function theCodecKeepsEverything() {
  const { itemCodec } = openQueue();
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

export function aFileIsWrittenDurably() {
  const { durableFile } = openQueue();
  // What becomes of the time is in `limits.js`.
  const operations = [
    { kind: "sync-data" },
    { kind: "set-times", modified: { seconds: 1_000_000_000n, nanos: 5 } },
    { kind: "sync" },
  ];
  assert.equal(durableFile.writeFile("queue/file", EVERY_BYTE, operations, "create-new", "full"), undefined);
  assert.equal(durableFile.writeFile("queue/file", bytes("new"), [], "replace", "file"), undefined);
  assert.equal(durableFile.syncFile("queue/file"), undefined);
  assert.equal(text(durableFile.readFile("queue/file")), "new");
  assert.deepEqual(names(), ["file"]);
}

export function whatIsNoItemOfTheQueueIsLeftAlone() {
  const { queueStore } = openQueue();
  queueStore.put("queue", "x", mail());
  fs.writeFileSync(Buffer.from("queue/m:\xff", "latin1"), "");
  fs.writeFileSync("queue/.DS_Store", "");
  fs.mkdirSync("queue/subdirectory");
  fs.symlinkSync("/etc/passwd", "queue/m:escape");
  const everyName = () => fs.readdirSync("queue", { encoding: "latin1" }).sort();
  const before = everyName();
  const { entries } = queueStore.listItems("queue", [], undefined, 10);
  const problems = entries.map((entry) => [entry.id, entry.problem?.code]);
  assert.deepEqual(problems, [["escape", "unsupported"], ["x", undefined]]);
  assert.equal(queueStore.recover("queue", 0n).items, 1n);
  assert.deepEqual(everyName(), before);
  // A queue is not reached through a symbolic link either.
  fs.symlinkSync("subdirectory", "queue/link");
  assert.equal(queueStore.count("queue/subdirectory").ready, 0n);
  refused("unsupported", "resolve", "queue/link", () => queueStore.count("queue/link"));
}
