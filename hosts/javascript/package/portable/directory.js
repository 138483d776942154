// Durable creation of a queue's directory, which the component cannot do.

import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a directory, and those above it, with mode 0700, and fsyncs each directory entry. One that exists stays as it
 * is.
 */
export function createDirectory(path) {
  if (exists(path)) {
    return;
  }
  createDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process created it meanwhile, and may not have fsynced its entry yet.
    if (error.code !== "EEXIST") {
      throw error;
    }
  }
  const parent = openSync(dirname(path));
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}

function exists(path) {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
