// The calls that `host-test/tests/interop/exchange.rs` makes, which leave the same bytes.

import { envelope, mail, openHost, openQueue, recipient } from "./support.js";

export function write(directory) {
  const host = openHost({ queue: directory });
  const queue = openQueue(host);
  const body = Uint8Array.from({ length: 256_000 }, (_, index) => index % 256);
  queue.put("text", mail(body));
  queue.put("binary", mail(body), { format: "binary" });
  const odd = mail("ñ \x85 \u{10ffff}");
  odd.envelope.to.push('"\\\t\x7f\x85☃');
  odd.envelope.recipients.push({ ...recipient("a@example.com"), kind: -1, via: ["mx"] });
  queue.put("odd ☃", odd);
  const draft = queue.begin("draft", envelope(), { format: "binary" });
  for (let offset = 0; offset < body.length; offset += 65_536) {
    draft.write(body.subarray(offset, offset + 65_536));
  }
  host.queueStore.Draft.commit(draft);
  queue.put("held", mail(""));
  queue.setState(["held"], "held");
}
