/**
 * The queue in Node.js, from the output of `jco transpile queue_store.wasm --instantiation sync -o queue_store`.
 *
 * The functions, records and resources are those of the contract (`wit/`), in camel case:
 * `queueStore.Queue.open("queue")` returns a queue, which has `putMany`. A `u64` is a `bigint`, an absent `option` is
 * `undefined`, and an error of the contract is thrown with its record as `payload`.
 */

import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { types } from "@bytecodealliance/preview2-shim/filesystem";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { instantiate } from "./queue_store/queue_store.js";

/** Creates an instance, which has the directories `preopens`: a guest name and a path for each. */
export function openQueueStore(preopens) {
  const module = (name) => new WebAssembly.Module(readFileSync(new URL(`./queue_store/${name}`, import.meta.url)));
  return instantiate(module, new WASIShim({ sandbox: { preopens } }).getImportObject());
}

/**
 * Makes the shim report every error as an error of WASI, for the whole process. To be called before the first call of
 * the component. Without it, the shim lets the error of Node.js pass through the component where a read or a write fails and
 * where it does not know the error: a full disk is no `no-space` then, a failed fsync of the directory is not
 * `indeterminate`, and the instance is lost.
 */
export function reportErrors() {
  for (const { prototype } of [types.Descriptor, types.DirectoryEntryStream]) {
    for (const name of Object.getOwnPropertyNames(prototype).filter((name) => name !== "constructor")) {
      const original = prototype[name];
      prototype[name] = function (...operands) {
        try {
          return original.apply(this, operands);
        } catch (error) {
          throw error instanceof Error ? errorCode(error) : error;
        }
      };
    }
  }
}

/** The errors that the shim does not know, by their numbers, since Node.js has no name for EDQUOT. */
const UNKNOWN = new Map([
  [-constants.errno.EDQUOT, "quota"],
  [-constants.errno.EMFILE, "busy"],
  [-constants.errno.ENFILE, "busy"],
]);

function errorCode(error) {
  try {
    return UNKNOWN.get(error.errno) ?? types.filesystemErrorCode({ payload: error });
  } catch {
    return "io";
  }
}
