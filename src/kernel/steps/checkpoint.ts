/** A named point between two effects of the relay. Nothing happens there, but in a crash test, which stops the process. */
export type Checkpoint = (name: string) => void;

export const noCheckpoint: Checkpoint = () => undefined;

/**
 * The checkpoint that the environment asks for: FEIQIAN_KILL_AT=name or name:N kills this process, as `kill -9` does,
 * the first or the Nth time that it gets to that point.
 */
export function checkpointOf(environment: Readonly<Record<string, string | undefined>>): Checkpoint {
  const [wanted, nth = "1"] = (environment["FEIQIAN_KILL_AT"] ?? "").split(":");
  if (wanted === undefined || wanted === "") return noCheckpoint;
  let left = Number.parseInt(nth, 10);
  return (name) => {
    if (name === wanted && --left === 0) process.kill(process.pid, "SIGKILL");
  };
}
