/**
 * The names of steps. Each feature adds those of its own where it declares them, so that a wake for a step that there is
 * not does not compile: `declare module ".../kernel/steps/step.ts" { interface StepNames { batcher: true } }`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add to it, the kernel knows none
export interface StepNames {}
export type StepName = keyof StepNames;

/** Does what is due, and tells whether there may be more to do at once. Throws on failure, and is then tried again. */
export type Step<Context> = (context: Context) => Promise<boolean>;

/** A step that drives rows forward: it is idempotent, and finds its work in the store. */
export interface StepOf<Context> {
  readonly name: StepName;
  readonly run: Step<Context>;
  /**
   * How often it looks for work that nobody has told it of: work of another process on the same database, or that has
   * come due.
   */
  readonly pollIntervalMs: number | ((context: Context) => number);
}
