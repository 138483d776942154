// The entry of the package that is tested: `queue-store` or `queue-store/portable`.

export const ENTRY = process.env.QUEUE_STORE_ENTRY ?? "queue-store";
export const IS_PORTABLE = ENTRY === "queue-store/portable";
export const { Queue, QueueError } = await import(ENTRY);
