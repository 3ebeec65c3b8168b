/** Standing of a partner, with the numbers of the ledger's enum `PartnerStatus`. */
export const PARTNER_STATUSES = { unknown: 0, active: 1, suspended: 2, frozen: 3 } as const;
export type PartnerStatusName = keyof typeof PARTNER_STATUSES;

/** Standing of a treasury module, with the numbers of the ledger's enum `ModuleStatus`. */
export const MODULE_STATUSES = { none: 0, active: 1, draining: 2 } as const;
