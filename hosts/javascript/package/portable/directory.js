// Durable creation of a queue's directory, which the component cannot do.

import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Creates a directory, and those above it, with mode 0700, and fsyncs each directory entry. One that exists stays as it
 * is.
 */
export function createDirectory(path) {
  if (exists(path)) {
    syncExistingEntry(path);
    return;
  }
  const parent = dirname(path);
  // A working directory that cannot be entered has no parent.
  if (parent !== path) {
    createDirectory(parent);
  }
  const isNew = make(path);
  try {
    sync(parent);
  } catch (error) {
    if (isNew) {
      // A later fsync could succeed without writing the entry.
      remove(path);
    }
    throw error;
  }
}

/** Returns false where another process created it meanwhile, which may not have fsynced its entry yet. */
function make(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") {
      return false;
    }
    throw error;
  }
}

/** Removes a directory, unless it has entries. */
function remove(path) {
  try {
    rmdirSync(path);
  } catch {
    // The caller reports why it should go.
  }
}

/**
 * Fsyncs the entry of a directory that exists: a process that was killed may have created it, and not have fsynced it. Goes on
 * where the parent cannot be opened, or takes no fsync.
 */
function syncExistingEntry(path) {
  try {
    // The parent of the directory itself, where the path is a symbolic link.
    sync(`${path}/..`);
  } catch (error) {
    // The last three: what is no directory is not opened as a queue either.
    if (!["EACCES", "EPERM", "EINVAL", "ENAMETOOLONG", "ENOTSUP", "EROFS", "ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) {
      throw error;
    }
  }
}

function sync(directory) {
  const descriptor = openSync(directory);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
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
