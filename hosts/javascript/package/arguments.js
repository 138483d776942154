// Arguments of users as those of the addon.

/** Returns bytes: of a string, its UTF-8. */
export function bytes(body) {
  if (typeof body === "string") {
    return Buffer.from(body, "utf8");
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
  return value;
}

/** Returns a count, or undefined. */
export function count(value, name) {
  if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new TypeError(`${name} is a whole number that is not negative, and not ${describe(value)}`);
  }
  return value ?? undefined;
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
  return { address: string(address, "address"), kind, status, lastFailureMessage, originalAddress, via };
}

/** Returns a timestamp of one, or of a Date. */
export function timestamp(time) {
  if (time instanceof Date) {
    const milliseconds = time.getTime();
    const seconds = Math.floor(milliseconds / 1000);
    return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
  }
  return time ?? undefined;
}

export function writeOptions({ durability, format, maxItems, maxBodyBytes }) {
  return {
    durability,
    format,
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
