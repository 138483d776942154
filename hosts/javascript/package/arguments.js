// Arguments of users as those of a backend.

/** Returns bytes: of a string, its UTF-8. */
export function bytes(body) {
  if (typeof body === "string") {
    return Buffer.from(string(body, "a body"), "utf8");
  }
  if (ArrayBuffer.isView(body)) {
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  }
  if (body instanceof ArrayBuffer || body instanceof SharedArrayBuffer) {
    return Buffer.from(body);
  }
  throw new TypeError(`a body is a string or bytes (Buffer, Uint8Array, ArrayBuffer), and not ${describe(body)}`);
}

/** Returns a list of strings. */
export function strings(values, name) {
  if (typeof values === "string" || typeof values?.[Symbol.iterator] !== "function") {
    throw new TypeError(`${name} is a list of strings, and not ${describe(values)}`);
  }
  return Array.from(values, (value) => string(value, `each of ${name}`));
}

export function string(value, name) {
  if (typeof value !== "string") {
    throw new TypeError(`${name} is a string, and not ${describe(value)}`);
  }
  // UTF-8 has no lone surrogates. Each would become U+FFFD, and different ids one.
  if (!value.isWellFormed()) {
    throw new TypeError(`${name} is a string of Unicode, and not one with a lone surrogate`);
  }
  return value;
}

/** Returns a count, or undefined. */
export function count(value, name) {
  if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new TypeError(`${name} is a whole number that is not negative, and not ${describe(value)}`);
  }
  return value ?? undefined;
}

export function optionalString(value, name) {
  return value === undefined || value === null ? undefined : string(value, name);
}

/** The names of the contract's enums. */
const NAMES = {
  durability: ["full", "content-only", "none"],
  format: ["text", "binary"],
  state: ["ready", "held", "quarantined"],
  detail: ["name", "envelope", "whole"],
};

/** Returns a name of one of the contract's enums. */
export function oneOf(value, name) {
  if (!NAMES[name].includes(value)) {
    throw new TypeError(`${name} is one of ${NAMES[name].join(", ")}, and not ${describe(value)}`);
  }
  return value;
}

export function optionalOneOf(value, name) {
  return value === undefined || value === null ? undefined : oneOf(value, name);
}

/** Returns an integer within bounds. What is none would become another number in a backend. */
function integer(value, name, least, most) {
  if (!(Number.isSafeInteger(value) && value >= least && value <= most)) {
    throw new TypeError(`${name} is a whole number from ${least} to ${most}, and not ${describe(value)}`);
  }
  return value;
}

const int32 = (value, name) => integer(value, name, -(2 ** 31), 2 ** 31 - 1);

/** Returns the result of a delivery. */
export function attempt({ recipient, status, message = "" }) {
  return {
    recipient: integer(recipient, "recipient", 0, 2 ** 32 - 1),
    status: int32(status, "status"),
    message: string(message, "message"),
  };
}

/** Returns the envelope of a mail. */
export function envelope({ sender, to, recipients = [], createdAt }) {
  return {
    reversePath: string(sender, "sender"),
    to: strings(to, "to"),
    recipients: Array.from(recipients, recipient),
    createdAt: timestamp(createdAt),
  };
}

/** Returns a delivery with the defaults of what is left out. */
export function recipient({ address, kind = 0, status = 0, lastFailureMessage = "", originalAddress = "", via = [] }) {
  return {
    address: string(address, "address"),
    kind: int32(kind, "kind"),
    status: int32(status, "status"),
    lastFailureMessage: string(lastFailureMessage, "lastFailureMessage"),
    originalAddress: string(originalAddress, "originalAddress"),
    via: strings(via, "via"),
  };
}

/** Returns a timestamp of one, or of a Date. */
export function timestamp(time) {
  if (time instanceof Date) {
    const milliseconds = integer(time.getTime(), "createdAt", -864e13, 864e13);
    const seconds = Math.floor(milliseconds / 1000);
    return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
  }
  if (time === undefined || time === null) {
    return undefined;
  }
  const { seconds, nanos } = time;
  return {
    seconds: integer(seconds, "seconds", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    nanos: integer(nanos, "nanos", 0, 999_999_999),
  };
}

export function writeOptions({ durability, format, maxItems, maxBodyBytes }) {
  return {
    durability: optionalOneOf(durability, "durability"),
    format: optionalOneOf(format, "format"),
    maxItems: count(maxItems, "maxItems"),
    maxBodyBytes: count(maxBodyBytes, "maxBodyBytes"),
  };
}

function describe(value) {
  if (value === null || typeof value !== "object") {
    return value === undefined ? "undefined" : `the ${typeof value} ${String(value)}`;
  }
  return `an object of ${value.constructor?.name ?? "no class"}`;
}
