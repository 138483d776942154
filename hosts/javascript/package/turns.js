// Calls that take turns.

/** Returns a function that makes asynchronous calls one after another, in the order in which they were passed to it. */
export function inTurn() {
  let last = Promise.resolve();
  return (call) => {
    const result = last.then(() => call());
    last = result.catch(() => {});
    return result;
  };
}
