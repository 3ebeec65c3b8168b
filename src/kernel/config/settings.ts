import type { z } from "zod/v4";

/**
 * The part of a relay's configuration that features use, by its sections. Each adds its own where it declares them, as
 * `interface Settings extends SettingsOf<typeof pricingSettings> {}`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- features add to it, the kernel knows none
export interface Settings {}

/** What every relay has, whatever its features are, and its features use. */
export interface CommonSettings {
  /** How far the clock may be off before no transfers are taken; 0: whatever it is. */
  readonly clock: { readonly maxSkewSeconds: number };
  readonly retry: { readonly firstDelayMs: number; readonly maxDelayMs: number };
}

/** Sections of the configuration: their schemas, with a description of every key, by their names. */
export type SettingSections = Readonly<Record<string, z.ZodType>>;

/** What sections come to once they are read. */
export type SettingsOf<Sections extends SettingSections> = {
  readonly [Section in keyof Sections]: z.output<Sections[Section]>;
};

/** What holds between keys, of one section or of several. */
export interface SettingRule {
  /** The key that is to blame where it does not. */
  readonly path: readonly string[];
  readonly message: string;
  readonly holds: (settings: Settings & CommonSettings) => boolean;
}
