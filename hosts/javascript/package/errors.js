// Errors of the queue.

/** An error of the queue, with the fields of the contract's record `error`. */
export class QueueError extends Error {
  constructor({ code, operation = "", path = "", detail, position = null }) {
    const place = position ? ` (line ${position.line}, column ${position.column})` : "";
    super(`${path ? `${path}: ` : ""}${detail}${place}`.replace(/\p{Cc}/gu, escape));
    this.name = "QueueError";
    this.code = code;
    this.operation = operation;
    this.path = path;
    this.detail = detail;
    this.position = position;
  }
}

function escape(control) {
  return control === "\n" ? "\\n" : `\\u{${control.charCodeAt(0).toString(16)}}`;
}

/** Awaits a call of a backend. Errors of the addon have the fields as JSON in their message. */
export async function answer(call) {
  try {
    return await call();
  } catch (error) {
    throw asQueueError(error);
  }
}

/** Does the work of a stream, and tells it by its callback. */
export async function settle(work, callback) {
  try {
    await work();
  } catch (error) {
    callback(error);
    return;
  }
  callback();
}

/** Returns the error that an outcome, an entry or a recovery reports; null where there is none. */
export function problem(fields) {
  return fields ? new QueueError(fields) : null;
}

/** Whether an error of the system tells that a resource is used up for now. Node.js names it in the message alone. */
export function isExhaustion(message) {
  return /\b(EMFILE|ENFILE|ENOMEM|EAGAIN)\b|too many open files/.test(message);
}

function asQueueError(error) {
  if (error?.code === "InvalidArg" || String(error?.code).endsWith("Expected")) {
    return new TypeError(error.message);
  }
  if (error?.code !== "GenericFailure" || !error.message.startsWith("{")) {
    return error;
  }
  return new QueueError(JSON.parse(error.message));
}
