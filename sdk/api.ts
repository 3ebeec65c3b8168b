// Made by `npm run openapi` from docs/openapi.json: change the routes' schemas, not this.
/* eslint-disable max-lines -- as long as the document */

export interface paths {
  "/v1/payees/lookup": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Find a partner's customer by alias
     * @description Tells the payee's name, masked, so that the payer can see that it is the right person.
     */
    post: operations["lookupPayee"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/participants": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Who is in the network */
    get: operations["listParticipants"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/corridors": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Where this partner's customers can send to */
    get: operations["listCorridors"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/balances": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** This partner's money on the ledger, and what is promised of it */
    get: operations["listBalances"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/requests": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ask to be paid by anybody in the network
     * @description Its code is shown as a QR code, or sent. Customers of other partners pay it by a transfer; the payee's relay compares each with the request before the wallet is asked. The same id with the same content has the same answer.
     */
    post: operations["createRequest"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/requests/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** How a request stands, and what has paid it */
    get: operations["getRequest"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/requests/{id}/cancel": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Withdraw a request
     * @description Repeated, it answers the same. One that is paid once, and is or is being paid, cannot be withdrawn.
     */
    post: operations["cancelRequest"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/requests/resolve": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * What a scanned code asks to be paid
     * @description Told and signed by the payee's partner: of the code itself nothing is believed. Show the payer name and amount before you send a transfer for it. Counted with look-ups of payees.
     */
    post: operations["resolveRequest"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/billers/{partner}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whose bills are paid at a partner, and what their references look like */
    get: operations["listBillers"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/bills/lookup": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * What is due on a bill
     * @description As a request, signed by the biller's partner, that is paid as any other; its purpose is UBIL as a rule. Counted with look-ups of payees.
     */
    post: operations["lookupBill"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/quotes": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * What a transfer would cost
     * @description Either what is sent is fixed, or what is received. Every cost is itemised; the amounts hold until the expiry.
     */
    post: operations["createQuote"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/quotes/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A quote that was given */
    get: operations["getQuote"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/transfers": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Submit a transfer, or a stream of them
     * @description A 202 means that the transfer is stored, with its amounts fixed. A UETR has one answer forever. Accepted, the same content gets the same answer again (then with the header "idempotent-replayed: true"), and another content gets 409 with how the stored transfer stands. Refused for good, it stays refused, whatever is sent under it. Each problem tells in "transfer" which it is: only "none" means that the payer can have the money back. As application/x-ndjson, each line is a submission and the answer, 200, has a LineResult for each, in order, while the lines arrive: read it as you send.
     */
    post: operations["submitTransfer"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/transfers/{uetr}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Where a transfer stands, and every step on the way there */
    get: operations["getTransfer"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/transfers/{uetr}/cancel": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Cancel a transfer that is not on its way yet
     * @description Until it is signed into a batch. Repeated, it answers the same; too late, 409 tells where the transfer stands.
     */
    post: operations["cancelTransfer"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/transfers/{uetr}/receipt": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Proof that a transfer settled
     * @description A file that anyone with an RPC endpoint can verify. It reveals the groups of details that are asked for, and no others.
     */
    get: operations["getReceipt"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/stats/success": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How many transfers were paid, and why the others were not
     * @description Of every partner's transfers, by corridor and day, as the ledger tells it: anyone who reads the ledger counts the same (`feiqian stats success --ledger`).
     */
    get: operations["getSuccess"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/stats/orders": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How many of the own customers' orders were paid, and why the others were not
     * @description With what never came onto the ledger, which this relay alone knows. A submission and its retries (`retryOf`) are one order.
     */
    get: operations["getOrders"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/events": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What happened after an event */
    get: operations["listEvents"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/events/stream": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * What happens, as server-sent events
     * @description The header Last-Event-ID, or the parameter after, goes on after the event of that id. Where the key does not work any more, or was rotated, the stream ends within a second, with a last event of type problem; and so it does where the relay's database was restored behind it.
     */
    get: operations["streamEvents"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/webhooks": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Where events are delivered to */
    get: operations["listWebhooks"];
    put?: never;
    /** Deliver events from now on */
    post: operations["createWebhook"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/webhooks/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Stop delivering, and drop what was not delivered */
    delete: operations["deleteWebhook"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/webhooks/deliveries": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Deliveries that were given up, or are still due */
    get: operations["listDeliveries"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/webhooks/{id}/deliveries/{event}/replay": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Deliver an event once more */
    post: operations["replayDelivery"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/keys": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** All API keys, without their secrets */
    get: operations["listKeys"];
    put?: never;
    /**
     * Make an API key
     * @description It cannot have more scopes, a higher rate limit or a later end than the key that creates it. If rateLimit or expiresAt is left out, that key's own is used.
     */
    post: operations["createKey"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/keys/{id}/rotate": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Rotate a key
     * @description It may do the same, as often, and for as long as the other might have: so only a key that may do all of that itself can ask for it. The other goes on working for the overlap, so that nothing stops while the new one is put in place; streams that were opened with it end, and can be opened again. A key has one successor at most: where the answer was lost, rotate the successor.
     */
    post: operations["rotateKey"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/keys/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * End a key, for good
     * @description At once here; within a second in other processes on the same database. Streams that were opened with it end.
     */
    delete: operations["revokeKey"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/audit": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What operators did, and tried to do */
    get: operations["listAudit"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/erasures": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Erase personal data
     * @description Of one transfer, or of all that were accepted before a time, which may not be in the future. Only of what is finished on both sides: refunded, or credited as far as is known. Everything else is left.
     */
    post: operations["erase"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/v1/reconciliations": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Compare the store with the ledger */
    post: operations["reconcile"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/livez": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether the process answers */
    get: operations["livez"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/readyz": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Whether requests should be sent here, and if not, why */
    get: operations["readyz"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/metrics": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Prometheus metrics */
    get: operations["metrics"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export interface components {
  schemas: {
    /** @description The transfer is stored, with its amounts fixed. The same to every repeat of the request. */
    Acceptance: {
      /**
       * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      uetr: string;
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /** @description What is exchanged for the payee. */
      send: components["schemas"]["Money"];
      /** @description The network's fee, on top. */
      fee: components["schemas"]["Money"];
      /** @description All that the payer is charged: send and fee. */
      total: components["schemas"]["Money"];
      /** @description What the payee gets, to the minor unit. */
      receive: components["schemas"]["Money"];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      acceptedAt: string;
      /**
       * Format: date-time
       * @description A transfer that is not on its way by then fails.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt: string;
    };
    /**
     * @description What identifies a payee or payer at a wallet.
     * @example {
     *       "type": "MSISDN",
     *       "value": "+639171234567"
     *     }
     */
    Alias: {
      /** @enum {string} */
      type: "MSISDN" | "EMAIL" | "ACCOUNT_ID" | "ALIAS" | "REQUEST";
      /** @description MSISDN: a telephone number in international form, with its + and calling code, punctuated in any way; it is kept as E.164, without a national prefix: `+63 (0) 917 123 4567` is `+639171234567`. A number that is possible in its country is taken, whether or not its range is known to be in use; a national one, without its calling code, is not. EMAIL: an address. ACCOUNT_ID, ALIAS: as the wallet gives them out, at most 140 characters. REQUEST: the id of a request, which pays whom it is for; of a creditor only. */
      value: string;
    };
    ApiKey: {
      id: string;
      label: string;
      scopes: ("read" | "submit" | "operate")[];
      rateLimit: number;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      revokedAt?: string | undefined;
      /** @description The id of its successor. */
      successor?: string | undefined;
    };
    ApiKeys: {
      keys: components["schemas"]["ApiKey"][];
    };
    Audit: {
      entries: components["schemas"]["AuditEntry"][];
      /** @description Ask for what comes after it. */
      next: string;
    };
    AuditEntry: {
      /** @description Its permanent name, never given to another entry. */
      id: string;
      seq: number;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      at: string;
      /** @description An API key's id, or the operating system's user. */
      actor: string;
      action: string;
      subject?: string | undefined;
      /** @description `begun` while it is under way, or if it was interrupted. The same entry shows the result later. */
      outcome: string;
      data: {
        [key: string]: unknown;
      };
    };
    Balance: {
      /** @description On the ledger, free. */
      available: components["schemas"]["Money"];
      /** @description On the ledger, held for open batches. */
      held: components["schemas"]["Money"];
      /** @description Promised to accepted transfers that are not on the ledger yet. */
      committed: components["schemas"]["Money"];
      /** @description Available and not committed. */
      spendable: components["schemas"]["Money"];
      /** @description In treasuries of the ledger where this relay's new batches do not open, if there is any: it can be moved, and is not spendable. */
      elsewhere?:
        | {
            available: components["schemas"]["Money"];
            held: components["schemas"]["Money"];
          }
        | undefined;
      /** @description Below this amount there is an alarm. */
      lowWater?: components["schemas"]["Money"] | undefined;
      /** @description The block at which it was read. */
      block: number;
    };
    Balances: {
      balances: components["schemas"]["Balance"][];
    };
    BillLookup: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /**
       * @description Its id, from the list of billers.
       * @example power
       */
      biller: string;
      /** @description As it stands on the bill; spaces and hyphens do not count. */
      reference: string;
    };
    Billers: {
      billers: {
        id: string;
        name: string;
        /** @example electricity */
        category: string;
        /** @description What its references look like; check digits by Luhn, or by ISO 7064, MOD 97-10. */
        reference: {
          /** @enum {string} */
          characters: "digits" | "letters and digits";
          min: number;
          max: number;
          /** @enum {string} */
          check?: ("luhn" | "mod97") | undefined;
        };
      }[];
    };
    /** @description A direction in which this partner's customers can send. */
    Corridor: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /**
       * @description ISO 4217 alphabetic code.
       * @example HKD
       */
      sourceCurrency: string;
      /**
       * @description ISO 4217 alphabetic code.
       * @example HKD
       */
      targetCurrency: string;
      isOpen: boolean;
      /** @description The network's fee on top, in basis points, rounded up. */
      feeBps: number;
      /**
       * @description In source minor units: the ledger's limit for a batch. 18446744073709551615 is none.
       * @example 150000
       */
      maxPerTransfer: string;
      /**
       * @description In source minor units, for all of a UTC day's transfers together. 18446744073709551615 is none.
       * @example 150000
       */
      maxPerDay: string;
      /** @description Members of a submission that may not be left out. */
      requiredFields: string[];
      aliasTypes: string[];
    };
    Corridors: {
      corridors: components["schemas"]["Corridor"][];
    };
    CreateKey: {
      label: string;
      scopes: ("read" | "submit" | "operate")[];
      /** @description Requests per minute; each transfer of a stream counts as one. 6000 where it is left out. */
      rateLimit?: number | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds; from 2020 to 2099.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
    };
    CreateRequest: {
      /**
       * @description A version 4 UUID in lower case. Made, and kept, by the payee's wallet.
       * @example 5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f
       */
      id: string;
      payee: {
        /** @description As payers are to see it: it is shown whole, and stands in the code. */
        name: components["schemas"]["Name"];
        alias: components["schemas"]["Alias"];
      };
      /** @description Without minor the payer says how much. */
      amount: {
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        currency: string;
        minor?: string | undefined;
      };
      /**
       * @description ISO 20022 ExternalPurpose1Code.
       * @default GDDS
       * @example GDDS
       */
      purpose?: string | undefined;
      /** @description What it is for, for the payer to read. */
      reference?: components["schemas"]["Text"] | undefined;
      /**
       * @description Whether it can be paid once only.
       * @default true
       */
      single?: boolean | undefined;
      /**
       * Format: date-time
       * @description A day from now unless given; for one that can be paid many times, never.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
    };
    CreateWebhook: {
      /**
       * Format: uri
       * @example https://wallet.example/hooks/feiqian
       */
      url: string;
      /**
       * @description The types of events to deliver; all if empty.
       * @default []
       */
      types?: string[] | undefined;
    };
    Deliveries: {
      deliveries: components["schemas"]["Delivery"][];
    };
    Delivery: {
      webhook: string;
      attempts: number;
      lastError?: string | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      nextAttemptAt?: string | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      deadAt?: string | undefined;
      event: components["schemas"]["Event"];
    };
    Erased: {
      /** @description Transfers whose details are gone. */
      erased: number;
      /** @description Batches received whose payloads are gone. */
      payloads: number;
    };
    /** @description Personal data to erase. The ledger's salted commitments become unlinkable. */
    Erasure: {
      /**
       * @description One transfer, once it is finished: refunded, or credited as far as is known.
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      uetr?: string | undefined;
      /**
       * Format: date-time
       * @description All that is finished and was accepted before; not in the future.
       * @example 2026-11-22T08:30:00.000Z
       */
      acceptedBefore?: string | undefined;
    };
    /** @description Something that happened. Webhooks carry the same. */
    Event: {
      /**
       * @description Its permanent name, never given to another event. Ask for what comes after it.
       * @example evt_3f9c2a71b04e_42
       */
      id: string;
      /** @description The relay's own count. A relay whose database was restored gives numbers out again: use the id. */
      seq: number;
      type: components["schemas"]["EventType"];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      at: string;
      uetr?: string | undefined;
      batch?: string | undefined;
      /** @description Where it stands on the ledger, if it is from there. */
      block?: number | undefined;
      logIndex?: number | undefined;
      data: {
        [key: string]: unknown;
      };
    };
    EventType: string;
    Events: {
      events: components["schemas"]["Event"][];
      /** @description Ask for what comes after it. */
      next: string;
    };
    LineResult: {
      /** @description Counted from 1; empty lines count. */
      line: number;
      /**
       * @description Where it could be read.
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      uetr?: string | undefined;
      /** @description The HTTP status that the line alone would have got. */
      status: number;
      /** @description The transfer had been accepted before. */
      replayed?: boolean | undefined;
      acceptance?: components["schemas"]["Acceptance"] | undefined;
      problem?: components["schemas"]["Problem"] | undefined;
    };
    /**
     * @example {
     *       "target": 4,
     *       "alias": {
     *         "type": "MSISDN",
     *         "value": "+639171234567"
     *       }
     *     }
     */
    LookupRequest: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      alias: components["schemas"]["Alias"];
    };
    /** @description An amount, which may be zero. */
    Money: {
      /**
       * @description ISO 4217 alphabetic code.
       * @example HKD
       */
      currency: string;
      /**
       * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
       * @example 150000
       */
      minor: string;
    };
    /** @description A person's name: text, as Text has it, with at least one letter or digit. */
    Name: string;
    NewApiKey: {
      id: string;
      label: string;
      scopes: ("read" | "submit" | "operate")[];
      rateLimit: number;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      revokedAt?: string | undefined;
      /** @description The id of its successor. */
      successor?: string | undefined;
      /** @description The key itself. It is shown once, and not stored. */
      key: string;
    };
    NewWebhook: {
      id: string;
      url: string;
      types: string[];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      disabledAt?: string | undefined;
      /** @description The Standard Webhooks secret, shown once. */
      secret: string;
    };
    /** @description How many of the orders of this partner's own customers were paid, and why the others were not. */
    Orders: {
      /** @description The block as of which what is on the ledger is counted. */
      block: number;
      /**
       * Format: date-time
       * @description Its time.
       * @example 2026-11-22T08:30:00.000Z
       */
      at: string;
      /**
       * @description A day in UTC.
       * @example 2026-11-22
       */
      from: string;
      /**
       * @description A day in UTC.
       * @example 2026-11-22
       */
      to: string;
      /** @description By day and target; none where there was nothing. */
      days: {
        /**
         * @description Of the block in which an order's batch was opened; of its end where it never was.
         * @example 2026-11-22
         */
        day: string;
        /**
         * @description None for what was refused: it need not say it.
         * @example 4
         */
        target?: number | undefined;
        isProvisional: boolean;
        /** @description All that have ended: each once, however many attempts it had. */
        orders: number;
        /** @description The customer is credited, as the target's relay has told in time. */
        credited: number;
        /** @description Of those credited, the ones that were not paid by their first attempt. */
        recovered: number;
        /** @description Settled on the ledger, and no credit told. */
        uncredited: number;
        /** @description Refused by the target partner on the ledger, and refunded. */
        rejected: number;
        /** @description Not settled in time, and refunded. */
        expired: number;
        /** @description Never on the ledger: without money in time, or refused by the target beforehand. */
        failed: number;
        cancelled: number;
        /** @description Refused for good by this relay when they were submitted. */
        refused: number;
        /** @description Attempts among the rejected to refused ones that were tried again: their orders are counted with the next. */
        retried: number;
        /** @description On the ledger, and not ended: in no figure above. */
        open: number;
        /**
         * @description Credited of all that have ended, in percent, rounded down. None where fewer than 30 have.
         * @example 96.10
         */
        rate?: string | undefined;
        /**
         * @description The same, of those credited by their first attempt.
         * @example 94.02
         */
        firstTryRate?: string | undefined;
        /** @description All attempts but those credited or uncredited, the most frequent reason first. */
        unpaid: {
          /**
           * @description ISO 20022 ExternalStatusReason1Code; AB03 for what expired. The four bytes that were published where they are no code of the network's, `none` where none were.
           * @example AC03
           */
          reason: string;
          /**
           * @description payer: What the payer asked for cannot be, or was asked for before. payee: The payee's account, or its details, cannot be credited. liquidity: A partner had too little money on the ledger. time: Nobody answered, or settled, in time. technical: A program failed, was away, or was not understood. compliance: A rule of regulators forbids it, or a suspicion of fraud. untold: No reason was told, or none that the network knows.
           * @enum {string}
           */
          class: "payer" | "payee" | "liquidity" | "time" | "technical" | "compliance" | "untold";
          transfers: number;
        }[];
      }[];
      /** @description All of them together. */
      total: {
        /** @description All that have ended: each once, however many attempts it had. */
        orders: number;
        /** @description The customer is credited, as the target's relay has told in time. */
        credited: number;
        /** @description Of those credited, the ones that were not paid by their first attempt. */
        recovered: number;
        /** @description Settled on the ledger, and no credit told. */
        uncredited: number;
        /** @description Refused by the target partner on the ledger, and refunded. */
        rejected: number;
        /** @description Not settled in time, and refunded. */
        expired: number;
        /** @description Never on the ledger: without money in time, or refused by the target beforehand. */
        failed: number;
        cancelled: number;
        /** @description Refused for good by this relay when they were submitted. */
        refused: number;
        /** @description Attempts among the rejected to refused ones that were tried again: their orders are counted with the next. */
        retried: number;
        /** @description On the ledger, and not ended: in no figure above. */
        open: number;
        /**
         * @description Credited of all that have ended, in percent, rounded down. None where fewer than 30 have.
         * @example 96.10
         */
        rate?: string | undefined;
        /**
         * @description The same, of those credited by their first attempt.
         * @example 94.02
         */
        firstTryRate?: string | undefined;
        /** @description All attempts but those credited or uncredited, the most frequent reason first. */
        unpaid: {
          /**
           * @description ISO 20022 ExternalStatusReason1Code; AB03 for what expired. The four bytes that were published where they are no code of the network's, `none` where none were.
           * @example AC03
           */
          reason: string;
          /**
           * @description payer: What the payer asked for cannot be, or was asked for before. payee: The payee's account, or its details, cannot be credited. liquidity: A partner had too little money on the ledger. time: Nobody answered, or settled, in time. technical: A program failed, was away, or was not understood. compliance: A rule of regulators forbids it, or a suspicion of fraud. untold: No reason was told, or none that the network knows.
           * @enum {string}
           */
          class: "payer" | "payee" | "liquidity" | "time" | "technical" | "compliance" | "untold";
          transfers: number;
        }[];
      };
    };
    Participant: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      id: number;
      /**
       * @description What this relay's operator calls the partner.
       * @example GCash
       */
      name?: string | undefined;
      /**
       * @description ISO 3166-1 alpha-2.
       * @example PH
       */
      country: string;
      /**
       * @description ISO 4217 alphabetic code.
       * @example HKD
       */
      homeCurrency: string;
      roles: ("wallet" | "liquidityProvider")[];
      /** @enum {string} */
      status: "active" | "suspended" | "frozen";
      /** @description Whether this relay is theirs. */
      isSelf: boolean;
    };
    Participants: {
      participants: components["schemas"]["Participant"][];
    };
    Payee: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /**
       * @description As it was understood.
       * @example {
       *       "type": "MSISDN",
       *       "value": "+639171234567"
       *     }
       */
      alias: components["schemas"]["Alias"];
      /**
       * @description The payee's name, masked.
       * @example M**** D*** C***
       */
      name: string;
    };
    /** @description What a customer of this partner asks to be paid. */
    PaymentRequest: {
      /**
       * @description A version 4 UUID in lower case. Made, and kept, by the payee's wallet.
       * @example 5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f
       */
      id: string;
      /**
       * @description open: it can be paid; pending: it can be paid once, and a payment is on its way; paid: it could be paid once, and was; cancelled: its payee has withdrawn it; expired: its time is over
       * @enum {string}
       */
      status: "open" | "pending" | "paid" | "cancelled" | "expired";
      /**
       * @description The payee's name, as payers see it.
       * @example Anji Office Chairs
       */
      name: string;
      amount: {
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        currency: string;
        /**
         * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
         * @example 150000
         */
        minor?: string | undefined;
      };
      purpose: string;
      reference?: string | undefined;
      single: boolean;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /** @description To be shown as a QR code (EMV QRCPS, merchant-presented mode). */
      code: string;
      /** @description The latest, at most 20, the last one first: credited, or on their way. */
      payments: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        uetr: string;
        /**
         * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
         * @example 150000
         */
        minor: string;
        /**
         * Format: date-time
         * @description UTC, with milliseconds.
         * @example 2026-11-22T08:30:00.000Z
         */
        creditedAt?: string | undefined;
      }[];
    };
    /** @description An amount of more than zero. */
    PositiveMoney: {
      /**
       * @description ISO 4217 alphabetic code.
       * @example HKD
       */
      currency: string;
      /**
       * @description ISO 4217 minor units as decimal text, 1 to 2^128-1.
       * @example 150000
       */
      minor: string;
    };
    /** @description What went wrong (RFC 9457). */
    Problem: {
      /** @example urn:feiqian:problem:uetr-conflict */
      type: string;
      title: string;
      status: number;
      /** @description What is wrong with this request, for people. */
      detail: string;
      /** @description The request, as the relay's log names it. */
      instance: string;
      /** @description The last part of the type. Stable. */
      code: string;
      /** @description The member of the request that is wrong, by its path. */
      field?: string | undefined;
      /**
       * @description ISO 20022 ExternalStatusReason1Code.
       * @example AC03
       */
      reason?: string | undefined;
      /**
       * @description In every answer to a submission, what it proves of the transfer: "none": nothing is stored under this UETR, and nothing ever will be: give the money back; "stored": a transfer is stored under this UETR: the money follows it, so use its status; "unknown": this answer does not say: send the same again under the same UETR. Never conclude it from the HTTP status.
       * @enum {string}
       */
      transfer?: ("none" | "stored" | "unknown") | undefined;
      /** @description The transfer that is stored under the UETR, and its status. */
      stored?: components["schemas"]["TransferStatus"] | undefined;
      /** @description Seconds until a retry makes sense; the same as the header retry-after. */
      retryAfterSeconds?: number | undefined;
      /** @description The versions that are spoken here, where the one that was asked for is not. */
      versions?: number[] | undefined;
      /** @description The cursor to continue from. Everything up to it is unchanged; read what comes after it. */
      goOn?: string | undefined;
    };
    /** @description What a transfer would cost: every cost, itemised. */
    Quote: {
      id: string;
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /** @description What is exchanged for the payee. */
      send: components["schemas"]["Money"];
      /** @description The network's fee, on top. */
      fee: components["schemas"]["Money"];
      /** @description All that the payer is charged: send and fee. */
      total: components["schemas"]["Money"];
      /** @description What the payee gets, to the minor unit. */
      receive: components["schemas"]["Money"];
      /** @description None where both currencies are the same. */
      rate?: components["schemas"]["Rate"] | undefined;
      /**
       * @description The liquidity provider whose quote it was priced on.
       * @example 4
       */
      provider?: number | undefined;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description Until then the amounts hold, for any number of transfers.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt: string;
    };
    /**
     * @example {
     *       "target": 4,
     *       "amount": {
     *         "send": {
     *           "currency": "HKD",
     *           "minor": "150000"
     *         }
     *       }
     *     }
     */
    QuoteRequest: {
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      amount:
        | {
            send: components["schemas"]["PositiveMoney"];
            /**
             * @description The target partner's home currency where left out.
             * @example HKD
             */
            receiveCurrency?: string | undefined;
          }
        | {
            receive: components["schemas"]["PositiveMoney"];
            /**
             * @description This partner's home currency where left out.
             * @example HKD
             */
            sendCurrency?: string | undefined;
          };
    };
    /** @description An exact exchange rate, and how it reads. */
    Rate: {
      /**
       * @description Target minor units…
       * @example 150000
       */
      numerator: string;
      /**
       * @description …for this many source minor units.
       * @example 150000
       */
      denominator: string;
      /**
       * @description Major units of the target currency for one of the source currency, rounded down.
       * @example 7.2814500000
       */
      decimal: string;
    };
    /** @description A receipt, as docs/receipts.md describes it. */
    Receipt: {
      [key: string]: unknown;
    };
    /** @description The store compared with the ledger. A difference is an alarm. */
    Reconciliation: {
      /** @description Milliseconds since the epoch. */
      at: number;
      /** @description The block that everything is compared with; none where the ledger has not been read. */
      block?: number | undefined;
      balances: {
        /** @description Its address. Relays from before there could be several do not say it. */
        treasury?: string | undefined;
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        currency: string;
        /** @description What the ledger's events make of it. */
        expected: {
          /**
           * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
           * @example 150000
           */
          available: string;
          /**
           * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
           * @example 150000
           */
          held: string;
        };
        /** @description What the treasury has. */
        found: {
          /**
           * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
           * @example 150000
           */
          available: string;
          /**
           * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
           * @example 150000
           */
          held: string;
        };
      }[];
      /** @description How much of what was gone through. */
      checked: {
        [key: string]: number;
      };
      /** @description None: all is sound. */
      differences: {
        kind: string;
        /** @description What it is about: a currency, a batch, a UETR, an event, a webhook. */
        subject: string;
        /** @description For people. */
        sentence: string;
      }[];
      /** @description How many more differences there are than are named. */
      omitted?: number | undefined;
    };
    Redelivery: {
      webhook: string;
      event: string;
    };
    ResolveRequest: {
      /** @description What a scanner has read from a QR code. */
      code: string;
    };
    /** @description A request of another partner's customer, as that partner's relay tells and signs it. It is paid by a transfer to the target, with the creditor's alias of type REQUEST and its id. */
    ResolvedRequest: {
      /**
       * @description A version 4 UUID in lower case. Made, and kept, by the payee's wallet.
       * @example 5f4b8a52-7a3c-4c1e-9a0d-0b6f1c2d3e4f
       */
      id: string;
      /**
       * @description open: it can be paid; pending: it can be paid once, and a payment is on its way; paid: it could be paid once, and was; cancelled: its payee has withdrawn it; expired: its time is over
       * @enum {string}
       */
      status: "open" | "pending" | "paid" | "cancelled" | "expired";
      /**
       * @description The payee's name, as payers see it.
       * @example Anji Office Chairs
       */
      name: string;
      amount: {
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        currency: string;
        /**
         * @description ISO 4217 minor units as decimal text, 0 to 2^128-1.
         * @example 150000
         */
        minor?: string | undefined;
      };
      purpose: string;
      reference?: string | undefined;
      single: boolean;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt?: string | undefined;
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /** @description Of the payee's partner, under all of it but the status (EIP-712 PaymentRequest). */
      signed: {
        key: string;
        signature: string;
      };
    };
    RotateKey: {
      /**
       * @description For how long the old key still works beside the new one.
       * @default 86400
       */
      overlapSeconds?: number | undefined;
    };
    /**
     * @example {
     *       "uetr": "eb6305c9-1f7f-49de-aed0-16487c27b42d",
     *       "target": 4,
     *       "amount": {
     *         "send": {
     *           "currency": "HKD",
     *           "minor": "150000"
     *         }
     *       },
     *       "debtor": {
     *         "name": "Chan Tai Man",
     *         "alias": {
     *           "type": "MSISDN",
     *           "value": "+85291234567"
     *         }
     *       },
     *       "creditor": {
     *         "name": "Maria Dela Cruz",
     *         "alias": {
     *           "type": "MSISDN",
     *           "value": "+639171234567"
     *         }
     *       },
     *       "purpose": "FAMI"
     *     }
     */
    SubmitRequest: {
      /**
       * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      uetr: string;
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      amount:
        | {
            send: components["schemas"]["PositiveMoney"];
            /**
             * @description The target partner's home currency where left out.
             * @example HKD
             */
            receiveCurrency?: string | undefined;
          }
        | {
            receive: components["schemas"]["PositiveMoney"];
            /**
             * @description This partner's home currency where left out.
             * @example HKD
             */
            sendCurrency?: string | undefined;
          }
        | {
            quoteId: string;
          };
      debtor: {
        /**
         * @description In Latin letters.
         * @example Chan Tai Man
         */
        name: components["schemas"]["Name"];
        /**
         * @description In the person's own script.
         * @example 陳大文
         */
        nameLocal?: components["schemas"]["Name"] | undefined;
        alias: components["schemas"]["Alias"];
      };
      creditor: {
        /**
         * @description As the payer knows the payee.
         * @example Maria Dela Cruz
         */
        name?: components["schemas"]["Name"] | undefined;
        alias: components["schemas"]["Alias"];
      };
      /**
       * @description ISO 20022 ExternalPurpose1Code.
       * @example FAMI
       */
      purpose: string;
      /** @description For the payee to read (Max140Text). Optional. */
      remittance?: components["schemas"]["Text"] | undefined;
      /**
       * @description If the partner has too little money on the ledger: wait for it, or fail at once.
       * @default fail
       * @enum {string}
       */
      ifUnfunded?: ("wait" | "fail") | undefined;
      /**
       * @description The UETR of the order's latest attempt, where that was refused, rejected or cancelled, or has expired or failed: both are one order. An attempt that may be paid yet, or was tried again, is not taken (`not-retryable`).
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      retryOf?: string | undefined;
    };
    /** @description How many of the transfers that came onto the ledger were paid, and why the others were not. */
    Success: {
      /** @description The block as of which it is counted. */
      block: number;
      /**
       * Format: date-time
       * @description Its time.
       * @example 2026-11-22T08:30:00.000Z
       */
      at: string;
      /**
       * @description A day in UTC.
       * @example 2026-11-22
       */
      from: string;
      /**
       * @description A day in UTC.
       * @example 2026-11-22
       */
      to: string;
      /** @description By day and corridor; none where nothing was opened. */
      corridors: {
        /**
         * @description Of the block in which a transfer's batch was opened.
         * @example 2026-11-22
         */
        day: string;
        /**
         * @description A partner's number in the network's registry.
         * @example 4
         */
        source: number;
        /**
         * @description A partner's number in the network's registry.
         * @example 4
         */
        target: number;
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        sourceCurrency: string;
        /**
         * @description ISO 4217 alphabetic code.
         * @example HKD
         */
        targetCurrency: string;
        /** @description Whether figures can change yet: they are fixed when the day is over for 2 days. */
        isProvisional: boolean;
        /** @description Transfers that came onto the ledger. */
        opened: number;
        /** @description Paid to the target partner. */
        settled: number;
        /** @description Refused by the target partner, and refunded. */
        rejected: number;
        /** @description Not settled in time, and refunded. */
        expired: number;
        /** @description Not ended, or only after the day's figures were fixed: in no rate. */
        open: number;
        /**
         * @description Settled of those that have ended, in percent, rounded down. None where fewer than 30 have: of so few a rate says nothing.
         * @example 97.42
         */
        rate?: string | undefined;
        /** @description Those rejected and expired, the most frequent reason first. */
        unpaid: {
          /**
           * @description ISO 20022 ExternalStatusReason1Code; AB03 for what expired. The four bytes that were published where they are no code of the network's, `none` where none were.
           * @example AC03
           */
          reason: string;
          /**
           * @description payer: What the payer asked for cannot be, or was asked for before. payee: The payee's account, or its details, cannot be credited. liquidity: A partner had too little money on the ledger. time: Nobody answered, or settled, in time. technical: A program failed, was away, or was not understood. compliance: A rule of regulators forbids it, or a suspicion of fraud. untold: No reason was told, or none that the network knows.
           * @enum {string}
           */
          class: "payer" | "payee" | "liquidity" | "time" | "technical" | "compliance" | "untold";
          transfers: number;
        }[];
      }[];
      /** @description All of them together. */
      total: {
        /** @description Transfers that came onto the ledger. */
        opened: number;
        /** @description Paid to the target partner. */
        settled: number;
        /** @description Refused by the target partner, and refunded. */
        rejected: number;
        /** @description Not settled in time, and refunded. */
        expired: number;
        /** @description Not ended, or only after the day's figures were fixed: in no rate. */
        open: number;
        /**
         * @description Settled of those that have ended, in percent, rounded down. None where fewer than 30 have: of so few a rate says nothing.
         * @example 97.42
         */
        rate?: string | undefined;
        /** @description Those rejected and expired, the most frequent reason first. */
        unpaid: {
          /**
           * @description ISO 20022 ExternalStatusReason1Code; AB03 for what expired. The four bytes that were published where they are no code of the network's, `none` where none were.
           * @example AC03
           */
          reason: string;
          /**
           * @description payer: What the payer asked for cannot be, or was asked for before. payee: The payee's account, or its details, cannot be credited. liquidity: A partner had too little money on the ledger. time: Nobody answered, or settled, in time. technical: A program failed, was away, or was not understood. compliance: A rule of regulators forbids it, or a suspicion of fraud. untold: No reason was told, or none that the network knows.
           * @enum {string}
           */
          class: "payer" | "payee" | "liquidity" | "time" | "technical" | "compliance" | "untold";
          transfers: number;
        }[];
      };
    };
    /** @description One line of Unicode text. It is kept and compared in one form: composed (NFC), without white space or invisible characters around it, runs of spaces as one. Its length is counted in code points, in that form. Inside, control characters, line breaks, characters that change the reading order, invisible ones and private use are refused, but for those that scripts and emoji need. */
    Text: string;
    /** @description Where a transfer stands, and every step on the way there. */
    TransferStatus: {
      /**
       * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
       * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
       */
      uetr: string;
      /** @enum {string} */
      status:
        | "received"
        | "waiting"
        | "batched"
        | "held"
        | "settled"
        | "credited"
        | "rejected"
        | "expired"
        | "failed"
        | "cancelled";
      /**
       * @description ISO 20022 ExternalPaymentTransactionStatus1Code.
       * @example ACSC
       */
      pacs002: string;
      /**
       * @description ISO 20022 ExternalStatusReason1Code.
       * @example AC03
       */
      reason?: string | undefined;
      /** @description Whether the money has reached its end: paid out, or refunded. */
      isFinal: boolean;
      /**
       * @description A partner's number in the network's registry.
       * @example 4
       */
      target: number;
      /** @description What is exchanged for the payee. */
      send: components["schemas"]["Money"];
      /** @description The network's fee, on top. */
      fee: components["schemas"]["Money"];
      /** @description All that the payer is charged: send and fee. */
      total: components["schemas"]["Money"];
      /** @description What the payee gets, to the minor unit. */
      receive: components["schemas"]["Money"];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      acceptedAt: string;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      expiresAt: string;
      /** @description The batch that it is in: its id on the ledger. */
      batch?: string | undefined;
      steps: {
        /** @enum {string} */
        status:
          | "received"
          | "waiting"
          | "batched"
          | "held"
          | "settled"
          | "credited"
          | "rejected"
          | "expired"
          | "failed"
          | "cancelled";
        /**
         * Format: date-time
         * @description UTC, with milliseconds.
         * @example 2026-11-22T08:30:00.000Z
         */
        at: string;
        /**
         * @description ISO 20022 ExternalStatusReason1Code.
         * @example AC03
         */
        reason?: string | undefined;
        /** @description Where it stands on the ledger, if it does. */
        block?: number | undefined;
        transaction?: string | undefined;
      }[];
    };
    Webhook: {
      id: string;
      url: string;
      types: string[];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      createdAt: string;
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      disabledAt?: string | undefined;
    };
    /** @description What a webhook carries: ids, statuses, amounts and times; nobody's name. */
    WebhookBody: {
      /**
       * @description Of what the body has; 1 where it is missing.
       * @default 1
       */
      version: number;
      type: components["schemas"]["EventType"];
      /**
       * Format: date-time
       * @description UTC, with milliseconds.
       * @example 2026-11-22T08:30:00.000Z
       */
      timestamp: string;
      data: {
        /**
         * @description Its permanent name, never given to another event. Ask for what comes after it.
         * @example evt_3f9c2a71b04e_42
         */
        id: string;
        /** @description The relay's own count. A relay whose database was restored gives numbers out again: use the id. */
        seq: number;
        type: components["schemas"]["EventType"];
        /**
         * Format: date-time
         * @description UTC, with milliseconds.
         * @example 2026-11-22T08:30:00.000Z
         */
        at: string;
        uetr?: string | undefined;
        batch?: string | undefined;
        /** @description Where it stands on the ledger, if it is from there. */
        block?: number | undefined;
        logIndex?: number | undefined;
        data: {
          [key: string]: unknown;
        };
        transfer?:
          | {
              status: string;
              send: components["schemas"]["Money"];
              receive: components["schemas"]["Money"];
            }
          | undefined;
      };
    };
    Webhooks: {
      webhooks: components["schemas"]["Webhook"][];
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export interface operations {
  lookupPayee: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["LookupRequest"];
      };
    };
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Payee"];
        };
      };
    };
  };
  listParticipants: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Participants"];
        };
      };
    };
  };
  listCorridors: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Corridors"];
        };
      };
    };
  };
  listBalances: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Balances"];
        };
      };
    };
  };
  createRequest: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["CreateRequest"];
      };
    };
    responses: {
      /** @description As asked for */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PaymentRequest"];
        };
      };
    };
  };
  getRequest: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PaymentRequest"];
        };
      };
    };
  };
  cancelRequest: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["PaymentRequest"];
        };
      };
    };
  };
  resolveRequest: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["ResolveRequest"];
      };
    };
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ResolvedRequest"];
        };
      };
    };
  };
  listBillers: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        partner: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Billers"];
        };
      };
    };
  };
  lookupBill: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["BillLookup"];
      };
    };
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ResolvedRequest"];
        };
      };
    };
  };
  createQuote: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["QuoteRequest"];
      };
    };
    responses: {
      /** @description As asked for */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Quote"];
        };
      };
    };
  };
  getQuote: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Quote"];
        };
      };
    };
  };
  submitTransfer: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["SubmitRequest"];
        "application/x-ndjson": components["schemas"]["SubmitRequest"];
      };
    };
    responses: {
      /** @description For a stream of submissions: a result a line */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/x-ndjson": components["schemas"]["LineResult"];
        };
      };
      /** @description As asked for */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Acceptance"];
        };
      };
    };
  };
  getTransfer: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        uetr: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["TransferStatus"];
        };
      };
    };
  };
  cancelTransfer: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        uetr: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["TransferStatus"];
        };
      };
    };
  };
  getReceipt: {
    parameters: {
      query?:
        | {
            /** @description The groups of details that the receipt reveals, with commas; none where left out. */
            disclose?: string | undefined;
          }
        | undefined;
      header?: never;
      path: {
        /**
         * @description Unique end-to-end transaction reference: a version 4 UUID in lower case. Made, and kept, by the caller.
         * @example eb6305c9-1f7f-49de-aed0-16487c27b42d
         */
        uetr: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Receipt"];
        };
      };
    };
  };
  getSuccess: {
    parameters: {
      query?:
        | {
            /**
             * @description The first day; six days before the last one where it is left out.
             * @example 2026-11-22
             */
            from?: string | undefined;
            /**
             * @description The last day; the ledger's day where it is left out.
             * @example 2026-11-22
             */
            to?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Success"];
        };
      };
    };
  };
  getOrders: {
    parameters: {
      query?:
        | {
            /**
             * @description The first day; six days before the last one where it is left out.
             * @example 2026-11-22
             */
            from?: string | undefined;
            /**
             * @description The last day; the ledger's day where it is left out.
             * @example 2026-11-22
             */
            to?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Orders"];
        };
      };
    };
  };
  listEvents: {
    parameters: {
      query?:
        | {
            after?: string | undefined;
            limit?: string | undefined;
            type?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Events"];
        };
      };
    };
  };
  streamEvents: {
    parameters: {
      query?:
        | {
            type?: string | undefined;
            /** @description Last-Event-ID has priority. Without either, the stream starts now. */
            after?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "text/event-stream": string;
        };
      };
    };
  };
  listWebhooks: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Webhooks"];
        };
      };
    };
  };
  createWebhook: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["CreateWebhook"];
      };
    };
    responses: {
      /** @description As asked for */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NewWebhook"];
        };
      };
    };
  };
  deleteWebhook: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  listDeliveries: {
    parameters: {
      query?:
        | {
            state?: ("dead" | "due") | undefined;
            limit?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Deliveries"];
        };
      };
    };
  };
  replayDelivery: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
        event: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Redelivery"];
        };
      };
    };
  };
  listKeys: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ApiKeys"];
        };
      };
    };
  };
  createKey: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["CreateKey"];
      };
    };
    responses: {
      /** @description As asked for */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NewApiKey"];
        };
      };
    };
  };
  rotateKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["RotateKey"];
      };
    };
    responses: {
      /** @description As asked for */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["NewApiKey"];
        };
      };
    };
  };
  revokeKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["ApiKey"];
        };
      };
    };
  };
  listAudit: {
    parameters: {
      query?:
        | {
            after?: string | undefined;
            limit?: string | undefined;
          }
        | undefined;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Audit"];
        };
      };
    };
  };
  erase: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["Erasure"];
      };
    };
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Erased"];
        };
      };
    };
  };
  reconcile: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": components["schemas"]["Reconciliation"];
        };
      };
    };
  };
  livez: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            /** @enum {string} */
            status: "ok";
          };
        };
      };
    };
  };
  readyz: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "application/json": {
            ready: boolean;
            reasons: {
              code: string;
              detail: string;
            }[];
            /** @description What needs an operator's attention now, although the relay goes on. */
            alarms: {
              code: string;
              detail: string;
            }[];
          };
        };
      };
    };
  };
  metrics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description As asked for */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "text/plain": string;
        };
      };
    };
  };
}
