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

/** The names of options and fields, by the call or the record that has them. */
const ENVELOPE = ["sender", "to", "recipients", "createdAt"];
const WRITE_OPTIONS = ["durability", "format", "maxItems", "maxBodyBytes"];
const MAIL = [...ENVELOPE, "id"];
const RECIPIENT = ["address", "kind", "status", "lastFailureMessage", "originalAddress", "via"];
const OPTIONS = {
  open: ["create", "recover", "graceSeconds"],
  put: [...MAIL, ...WRITE_OPTIONS],
  putMany: WRITE_OPTIONS,
  draft: [...MAIL, ...WRITE_OPTIONS],
  submit: ["sender", "to"],
  body: ["offset"],
  items: ["states", "detail"],
  update: [...ENVELOPE, "ifRevision", "durability"],
  recordAttempts: ["ifRevision", "durability"],
  removeMany: ["states", "durability"],
  recover: ["graceSeconds"],
};

/** Returns the options of a call, which may be left out. */
export function options(value, call) {
  return value === undefined || value === null ? {} : record(value, "options", "option", OPTIONS[call]);
}

/** Returns the options of a call that needs them. */
export function requiredOptions(value, call, needed) {
  if (value === undefined || value === null) {
    throw new TypeError(`${call} needs { ${needed} }`);
  }
  return options(value, call);
}

/** Returns an object that has no other fields than these: a misspelt one would be ignored. */
function record(value, name, kind, fields) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TypeError(`${name} is an object { ${fields.join(", ")} }, and not ${describe(value)}`);
  }
  const unknown = Object.keys(value).find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    throw new TypeError(`unknown ${kind} \`${unknown}\`: there are ${fields.join(", ")}`);
  }
  return value;
}

/** Returns a list, each element as `element` returns it. */
function list(values, name, kind, element) {
  if (typeof values === "string" || typeof values?.[Symbol.iterator] !== "function") {
    throw new TypeError(`${name} is a list of ${kind}, and not ${describe(values)}`);
  }
  return Array.from(values, (value) => element(value, `each of ${name}`));
}

export function strings(values, name) {
  return list(values, name, "strings", string);
}

export function recipients(values) {
  return list(values, "recipients", "recipients", recipient);
}

export function attempts(values) {
  return list(values, "attempts", "attempts", attempt);
}

export function mails(values) {
  return list(values, "mails", "mails", (value, name) => {
    const mail = record(value, name, "field", [...MAIL, "body"]);
    return { id: optionalString(mail.id, "id"), envelope: envelope(mail), body: bytes(mail.body) };
  });
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

export function boolean(value, name) {
  if (typeof value !== "boolean") {
    throw new TypeError(`${name} is true or false, and not ${describe(value)}`);
  }
  return value;
}

/** Returns a count, or undefined. */
export function count(value, name) {
  if (value !== undefined && value !== null && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new TypeError(`${name} is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, and not ${describe(value)}`);
  }
  return value ?? undefined;
}

/** Tells whether text is taken for the URL of a database, also of another one than PostgreSQL or with wrong slashes. */
export function isDatabase(text) {
  return /^(postgres(ql)?:|[a-z][a-z0-9+.-]*:\/\/)/i.test(text);
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
function attempt(value, name) {
  const { recipient, status, message = "" } = record(value, name, "field", ["recipient", "status", "message"]);
  return {
    recipient: integer(recipient, "recipient", 0, 2 ** 32 - 1),
    status: int32(status, "status"),
    message: string(message, "message"),
  };
}

/** Returns the envelope of a mail. */
export function envelope({ sender, to, recipients: deliveries = [], createdAt }) {
  return {
    reversePath: string(sender, "sender"),
    to: strings(to, "to"),
    recipients: recipients(deliveries),
    createdAt: timestamp(createdAt),
  };
}

/** Returns a delivery with the defaults of what is left out. */
function recipient(value, name) {
  const {
    address,
    kind = 0,
    status = 0,
    lastFailureMessage = "",
    originalAddress = "",
    via = [],
  } = record(value, name, "field", RECIPIENT);
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
  const { seconds, nanos } = record(time, "createdAt", "field", ["seconds", "nanos"]);
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
