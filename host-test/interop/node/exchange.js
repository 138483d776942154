// The calls that `host-test/tests/interop/exchange.rs` makes, which leave the same bytes.

import { envelope, mail, openQueue, options, recipient } from "./support.js";

export function write(directory) {
  const { queueStore, queueStream: { Draft } } = openQueue({ queue: directory });
  const body = Uint8Array.from({ length: 256_000 }, (_, index) => index % 256);
  queueStore.put("queue", "text", mail(body));
  queueStore.put("queue", "binary", mail(body), options({ format: "binary" }));
  const odd = mail("ñ \x85 \u{10ffff}");
  odd.envelope.to.push('"\\\t\x7f\x85☃');
  odd.envelope.recipients.push({ ...recipient("a@example.com"), kind: -1, via: ["mx"] });
  queueStore.put("queue", "odd ☃", odd);
  const draft = Draft.begin("queue", "draft", envelope(), options({ format: "binary" }));
  for (let offset = 0; offset < body.length; offset += 65_536) {
    draft.write(body.subarray(offset, offset + 65_536));
  }
  Draft.commit(draft);
  queueStore.put("queue", "held", mail(""));
  queueStore.hold("queue", ["held"]);
}
