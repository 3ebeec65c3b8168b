/** After a call that is in a block the watcher has so long to read of it before it is submitted again, to no effect. */
export const READING_MS = 10_000;
