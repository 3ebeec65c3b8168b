// The dialects of payment codes that are known, as data: in which template a scheme says whom to pay, under which name
// (EMVCo's globally unique identifier), and what it calls the fields there. Fields that are not named are kept by their
// numbers. Names are compared without regard to case: some payers' programs write HK.COM.HKICL.

export interface Scheme {
  readonly name: string;
  /** ISO 3166-1 alpha-2; none for the network's own. */
  readonly country?: string;
  readonly accounts: readonly SchemeAccount[];
}

export interface SchemeAccount {
  /** Ids of the templates that it may be in, both included. */
  readonly from: number;
  readonly to: number;
  readonly guid: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The network's own: a partner, and the id of a request there. */
export const OWN_SCHEME = "Feiqian";
export const OWN_TEMPLATE = {
  from: 50,
  to: 50,
  guid: "network.feiqian",
  fields: { "01": "partner", "02": "request" },
} as const satisfies SchemeAccount;

export const SCHEMES: readonly Scheme[] = [
  { name: OWN_SCHEME, accounts: [OWN_TEMPLATE] },
  {
    name: "QRIS",
    country: "ID",
    // The acquirers' own templates, from 26 on, have names of theirs.
    accounts: [
      { from: 51, to: 51, guid: "ID.CO.QRIS.WWW", fields: { "02": "nationalMerchantId", "03": "merchantCriteria" } },
    ],
  },
  {
    name: "QR Ph",
    country: "PH",
    accounts: [{ from: 28, to: 28, guid: "ph.ppmi.p2m", fields: { "01": "acquirer", "03": "merchantId" } }],
  },
  {
    name: "PromptPay",
    country: "TH",
    accounts: [
      {
        from: 29,
        to: 29,
        guid: "A000000677010111",
        fields: { "01": "mobile", "02": "nationalId", "03": "eWallet", "04": "bankAccount" },
      },
      {
        from: 30,
        to: 30,
        guid: "A000000677010112",
        fields: { "01": "billerId", "02": "reference1", "03": "reference2" },
      },
    ],
  },
  {
    name: "FPS",
    country: "HK",
    accounts: [
      {
        from: 26,
        to: 26,
        guid: "hk.com.hkicl",
        fields: { "01": "clearingCode", "02": "fpsId", "03": "mobile", "04": "email", "05": "timeOut" },
      },
    ],
  },
  {
    name: "Bharat QR",
    country: "IN",
    accounts: [
      { from: 26, to: 26, guid: "A000000524", fields: { "01": "vpa", "02": "leastAmount" } },
      { from: 27, to: 27, guid: "A000000524", fields: { "01": "reference", "02": "url" } },
    ],
  },
  {
    name: "DuitNow",
    country: "MY",
    accounts: [{ from: 26, to: 26, guid: "A0000006150001", fields: { "01": "acquirer", "02": "merchantId" } }],
  },
];

/** The scheme that a template is of; undefined where it is none that is known. */
export function schemeOf(
  template: number,
  guid: string,
): { readonly scheme: string; readonly fields: SchemeAccount["fields"] } | undefined {
  const name = guid.toUpperCase();
  for (const { name: scheme, accounts } of SCHEMES) {
    const account = accounts.find(({ from, to, guid: known }) => {
      return template >= from && template <= to && known.toUpperCase() === name;
    });
    if (account !== undefined) return { scheme, fields: account.fields };
  }
  return undefined;
}
