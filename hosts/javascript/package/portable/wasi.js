// The imports of the component: the part of WASI 0.2 that it calls, on the synchronous functions of `node:fs`.
//
// Not `@bytecodealliance/preview2-shim`: that addresses a directory by its path, lets errors of Node.js pass through the
// component, takes a sync that failed with EPERM for done, loads an addon, and makes each call in one more thread.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { constants } from "node:os";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** The names of WASI for errors, by the numbers of the system, since Node.js has no names for some of them. */
const ERROR_CODES = new Map(
  Object.entries({
    EACCES: "access",
    EAGAIN: "would-block",
    EBADF: "bad-descriptor",
    EBUSY: "busy",
    EDQUOT: "quota",
    EEXIST: "exist",
    EFBIG: "file-too-large",
    EILSEQ: "illegal-byte-sequence",
    EINTR: "interrupted",
    EINVAL: "invalid",
    EISDIR: "is-directory",
    ELOOP: "loop",
    EMFILE: "insufficient-memory",
    EMLINK: "too-many-links",
    ENAMETOOLONG: "name-too-long",
    ENFILE: "insufficient-memory",
    ENODEV: "no-device",
    ENOENT: "no-entry",
    ENOMEM: "insufficient-memory",
    ENOSPC: "insufficient-space",
    ENOTDIR: "not-directory",
    ENOTEMPTY: "not-empty",
    ENOTSUP: "unsupported",
    ENXIO: "no-such-device",
    EOVERFLOW: "overflow",
    EPERM: "not-permitted",
    EPIPE: "pipe",
    EROFS: "read-only",
    ESPIPE: "invalid-seek",
    ETXTBSY: "text-file-busy",
    EXDEV: "cross-device",
  }).map(([name, code]) => [-constants.errno[name], code]),
);

/** Makes a system call. An error of the system is thrown as its code of WASI. */
function attempt(call) {
  try {
    return call();
  } catch (error) {
    throw error.errno === undefined ? error : (ERROR_CODES.get(error.errno) ?? "io");
  }
}

/** A file, or a directory whose entries are named relative to its descriptor, as with openat(2). */
class Descriptor {
  #fd;
  /** The open descriptors of the instance, of which this is one. */
  #siblings;

  constructor(path, flags, siblings) {
    this.#fd = fs.openSync(path, flags, 0o666);
    this.#siblings = siblings.add(this);
  }

  /** Returns a path for an entry: by way of the descriptor, since Node.js has no openat(2). */
  #entry(name) {
    if (name.includes("/") || name === "..") {
      throw "not-permitted";
    }
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  openAt(_, name, { create, directory, exclusive }, { write }) {
    // Without O_NONBLOCK, opening a FIFO would wait for another process.
    let flags = O_NOFOLLOW | O_NONBLOCK | (write ? O_WRONLY : O_RDONLY);
    flags |= (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0) | (directory ? O_DIRECTORY : 0);
    return attempt(() => new Descriptor(this.#entry(name), flags, this.#siblings));
  }

  read(length, offset) {
    const bytes = Buffer.allocUnsafe(Number(length));
    const count = attempt(() => fs.readSync(this.#fd, bytes, 0, bytes.length, Number(offset)));
    return [bytes.subarray(0, count), count === 0];
  }

  write(bytes, offset) {
    return BigInt(attempt(() => fs.writeSync(this.#fd, bytes, 0, bytes.length, Number(offset))));
  }

  sync() {
    attempt(() => fs.fsyncSync(this.#fd));
  }

  syncData() {
    attempt(() => fs.fdatasyncSync(this.#fd));
  }

  /** Does nothing: it is a hint, and Node.js has no posix_fadvise(2). */
  advise() {}

  stat() {
    return descriptorStat(attempt(() => fs.fstatSync(this.#fd, { bigint: true })));
  }

  statAt(_, name) {
    return descriptorStat(attempt(() => fs.lstatSync(this.#entry(name), { bigint: true })));
  }

  metadataHashAt(_, name) {
    const { dev, ino } = attempt(() => fs.lstatSync(this.#entry(name), { bigint: true }));
    return { upper: dev, lower: ino };
  }

  linkAt(_, name, directory, newName) {
    attempt(() => fs.linkSync(this.#entry(name), directory.#entry(newName)));
  }

  renameAt(name, directory, newName) {
    attempt(() => fs.renameSync(this.#entry(name), directory.#entry(newName)));
  }

  unlinkFileAt(name) {
    attempt(() => fs.unlinkSync(this.#entry(name)));
  }

  createDirectoryAt(name) {
    attempt(() => fs.mkdirSync(this.#entry(name)));
  }

  removeDirectoryAt(name) {
    attempt(() => fs.rmdirSync(this.#entry(name)));
  }

  readDirectory() {
    return attempt(() => new DirectoryEntryStream(this.#entry(".")));
  }

  /** Closes the descriptor, unless it is closed: the garbage collector may drop a resource of a closed instance. */
  [Symbol.dispose]() {
    if (this.#siblings.delete(this)) {
      fs.closeSync(this.#fd);
    }
  }
}

/** The entries of a directory. */
class DirectoryEntryStream {
  #directory;
  #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(path) {
    this.#directory = fs.opendirSync(path, { encoding: "buffer" });
  }

  readDirectoryEntry() {
    const entry = attempt(() => this.#directory.readSync());
    return entry ? { name: this.#decode(entry.name), type: fileType(entry) } : undefined;
  }

  #decode(name) {
    try {
      return this.#decoder.decode(name);
    } catch {
      throw "illegal-byte-sequence";
    }
  }

  [Symbol.dispose]() {
    this.#directory.closeSync();
  }
}

function descriptorStat(stats) {
  return {
    type: fileType(stats),
    linkCount: stats.nlink,
    size: stats.size,
    dataAccessTimestamp: datetime(stats.atimeNs),
    dataModificationTimestamp: datetime(stats.mtimeNs),
    statusChangeTimestamp: datetime(stats.ctimeNs),
  };
}

/** Returns the type of a file from its metadata or its directory entry. */
function fileType(entry) {
  if (entry.isFile()) return "regular-file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symbolic-link";
  if (entry.isFIFO()) return "fifo";
  if (entry.isSocket()) return "socket";
  if (entry.isCharacterDevice()) return "character-device";
  if (entry.isBlockDevice()) return "block-device";
  return "unknown";
}

function datetime(nanoseconds) {
  return { seconds: nanoseconds / 1_000_000_000n, nanoseconds: Number(nanoseconds % 1_000_000_000n) };
}

/**
 * Returns the imports of an instance that has one directory, under the name of its path, and a function that closes the
 * descriptors of the instance.
 */
export function system(directory) {
  const descriptors = new Set();
  const preopen = new Descriptor(directory, O_RDONLY | O_DIRECTORY, descriptors);
  const imports = {
    "wasi:filesystem/types": { Descriptor, DirectoryEntryStream },
    "wasi:filesystem/preopens": { getDirectories: () => [[preopen, directory]] },
    "wasi:clocks/wall-clock": { now: () => datetime(BigInt(Date.now()) * 1_000_000n) },
    "wasi:random/random": { getRandomU64: () => randomBytes(8).readBigUInt64LE() },
  };
  return { imports, close: () => descriptors.forEach((descriptor) => descriptor[Symbol.dispose]()) };
}
