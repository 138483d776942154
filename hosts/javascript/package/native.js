// The queue of the addon.

import { createRequire } from "node:module";

export const { NativeQueue } = load();

function load() {
  try {
    return createRequire(import.meta.url)("./queue_store.node");
  } catch (cause) {
    throw new Error("the addon cannot be loaded here; `queue-store/portable` needs none", { cause });
  }
}
