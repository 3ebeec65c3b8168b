-- One relay's store. Times are milliseconds since the epoch unless they say seconds; amounts are ISO 4217 minor units.
-- Personal data is in `sealed` columns only: encrypted with a key that the operator holds, null once erased.

-- A liquidity provider's firm quotes, as signed. `reserved` is what this relay's transfers take of one, in target minor
-- units, and never more than its capacity.
CREATE TABLE provider_quotes (
  id             bytea PRIMARY KEY,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  body           jsonb NOT NULL,
  signature      jsonb NOT NULL,
  capacity       numeric(39) NOT NULL,
  reserved       numeric(39) NOT NULL DEFAULT 0 CHECK (reserved >= 0 AND reserved <= capacity),
  valid_until_s  bigint NOT NULL,
  received_at    bigint NOT NULL
);
CREATE INDEX provider_quotes_by_pair ON provider_quotes (source_currency, target_currency, valid_until_s);

-- What customers were quoted: amounts that hold until the expiry.
CREATE TABLE quotes (
  id              uuid PRIMARY KEY,
  target          integer NOT NULL,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  source_amount   numeric(39) NOT NULL CHECK (source_amount > 0),
  target_amount   numeric(39) NOT NULL CHECK (target_amount > 0),
  fee             numeric(39) NOT NULL CHECK (fee >= 0),
  provider_quote  bytea REFERENCES provider_quotes (id),
  created_at      bigint NOT NULL,
  expires_at      bigint NOT NULL
);

-- Batches that this relay has signed as source. Written before anybody hears of them. Where one stands on the ledger is
-- in ledger_batches; one that can never be opened any more is void.
CREATE TABLE batches (
  id                bytea PRIMARY KEY,
  target            integer NOT NULL,
  header            jsonb NOT NULL,
  send_signature    jsonb NOT NULL,
  quote_signature   jsonb NOT NULL,
  signed_at         bigint NOT NULL,
  payload_delivered_at bigint,
  payload_attempts  integer NOT NULL DEFAULT 0,
  payload_due_at    bigint NOT NULL DEFAULT 0,
  -- The watcher has read that it was opened: it has its row in ledger_batches.
  on_ledger         boolean NOT NULL DEFAULT false,
  open_attempts     integer NOT NULL DEFAULT 0,
  open_due_at       bigint NOT NULL DEFAULT 0,
  open_error        text,
  voided_at         bigint
);
CREATE INDEX batches_unopened ON batches (open_due_at) WHERE NOT on_ledger AND voided_at IS NULL;
CREATE INDEX batches_undelivered ON batches (payload_due_at) WHERE payload_delivered_at IS NULL AND voided_at IS NULL;

-- Transfers of this relay's own customers, written once; only the batch they go into, or their ending before they were
-- on the ledger, is added. What follows from the batch is derived from it.
CREATE TABLE transfers (
  seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  uetr            uuid NOT NULL UNIQUE,
  -- HMAC of the canonical request: tells the same content from another, and cannot be guessed at.
  content_mac     bytea NOT NULL,
  target          integer NOT NULL,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  source_amount   numeric(39) NOT NULL CHECK (source_amount > 0),
  target_amount   numeric(39) NOT NULL CHECK (target_amount > 0),
  fee             numeric(39) NOT NULL CHECK (fee >= 0),
  provider_quote  bytea REFERENCES provider_quotes (id),
  sealed          bytea,
  details_hash    bytea NOT NULL,
  -- Whether it waits for money or fails where there is none.
  if_unfunded     text NOT NULL CHECK (if_unfunded IN ('wait', 'fail')),
  accepted_at     bigint NOT NULL,
  -- Not in a batch by then, it fails.
  expires_at      bigint NOT NULL,
  batch           bytea REFERENCES batches (id),
  ended           text CHECK (ended IN ('cancelled', 'failed')),
  ended_reason    text,
  ended_at        bigint,
  CHECK ((ended IS NULL) = (ended_at IS NULL)),
  CHECK (ended IS DISTINCT FROM 'cancelled' OR batch IS NULL)
);
CREATE INDEX transfers_waiting ON transfers (target, source_currency, target_currency, provider_quote, seq)
  WHERE batch IS NULL AND ended IS NULL;
CREATE INDEX transfers_of_batch ON transfers (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX transfers_by_age ON transfers (accepted_at) WHERE sealed IS NOT NULL;

-- When the target relay told that a customer was credited (pacs.002 ACCC).
CREATE TABLE confirmations (
  uetr        uuid PRIMARY KEY REFERENCES transfers (uetr),
  credited_at bigint NOT NULL
);

-- The ledger as the watcher has read it: every batch of every partner. Nothing else writes these three tables.
CREATE TABLE ledger_cursor (
  only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  block      bigint NOT NULL,
  block_hash bytea NOT NULL,
  block_time_s bigint NOT NULL
);
CREATE TABLE ledger_batches (
  id             bytea PRIMARY KEY,
  source         integer NOT NULL,
  target         integer NOT NULL,
  header         jsonb NOT NULL,
  expires_at_s   bigint NOT NULL,
  status         text NOT NULL CHECK (status IN ('open', 'settled', 'rejected', 'expired')),
  -- [{leaf, code}], as published.
  rejected       jsonb NOT NULL DEFAULT '[]',
  opened_block   bigint NOT NULL,
  opened_log     integer NOT NULL,
  opened_time_s  bigint NOT NULL,
  opened_transaction bytea NOT NULL,
  final_block    bigint,
  final_log      integer,
  final_time_s   bigint,
  final_transaction bytea,
  CHECK ((status = 'open') = (final_block IS NULL))
);
CREATE INDEX ledger_batches_open ON ledger_batches (expires_at_s) WHERE status = 'open';
CREATE INDEX ledger_batches_by_target ON ledger_batches (target, opened_block);
CREATE TABLE balances (
  currency  text PRIMARY KEY,
  available numeric(39) NOT NULL,
  held      numeric(39) NOT NULL,
  block     bigint NOT NULL
);

-- What other relays sent for batches to this one: the transfers in them, with what opens their details.
CREATE TABLE payloads (
  batch       bytea PRIMARY KEY,
  source      integer NOT NULL,
  sealed      bytea,
  received_at bigint NOT NULL,
  -- How often it was tried to decide on it, and when to try again.
  attempts    integer NOT NULL DEFAULT 0,
  due_at      bigint NOT NULL DEFAULT 0,
  -- Why it is never decided on: it is not what its batch commits to, or it is too late.
  refused     text
);

-- What this relay's partner answered to a batch, with its signature. Written before the ledger hears of it.
CREATE TABLE decisions (
  batch        bytea PRIMARY KEY REFERENCES payloads (batch),
  -- [{uetr, reason}]
  rejections   jsonb NOT NULL,
  signature    jsonb NOT NULL,
  decided_at   bigint NOT NULL,
  settle_attempts integer NOT NULL DEFAULT 0,
  settle_due_at bigint NOT NULL DEFAULT 0,
  confirm_attempts integer NOT NULL DEFAULT 0,
  confirm_due_at bigint NOT NULL DEFAULT 0,
  -- The source relay has been told of every credit, or there is none to tell of.
  confirmed_at bigint
);
CREATE INDEX decisions_unconfirmed ON decisions (confirm_due_at) WHERE confirmed_at IS NULL;
-- Finds the batch of a transfer that was rejected.
CREATE INDEX decisions_rejecting ON decisions USING gin (rejections jsonb_path_ops);

-- Transfers that this relay's partner has accepted: each is credited once, and only after its batch has settled. Two
-- sources with one UETR cannot both be: it is what a wallet tells credits apart by.
CREATE TABLE credits (
  uetr           uuid PRIMARY KEY,
  source         integer NOT NULL,
  batch          bytea NOT NULL REFERENCES decisions (batch),
  amount         numeric(39) NOT NULL CHECK (amount > 0),
  currency       text NOT NULL,
  attempts       integer NOT NULL DEFAULT 0,
  next_attempt_at bigint NOT NULL DEFAULT 0,
  last_error     text,
  credited_at    bigint,
  -- The wallet's own name for the posting.
  reference      text
);
CREATE INDEX credits_of_batch ON credits (batch);
CREATE INDEX credits_due ON credits (next_attempt_at) WHERE credited_at IS NULL;

-- What happened, in the order in which this relay came to know it: the events of its API and webhooks. Inserted under
-- an advisory lock (see events.ts), so that a reader who has seen a number has seen all below it.
CREATE TABLE events (
  seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type      text NOT NULL,
  uetr      uuid,
  batch     bytea,
  at        bigint NOT NULL,
  -- Where it stands on the ledger, if that is where it comes from.
  block     bigint,
  log_index integer,
  data      jsonb NOT NULL
);
CREATE INDEX events_of_transfer ON events (uetr, seq) WHERE uetr IS NOT NULL;
-- The liquidity alarms look at the last one.
CREATE INDEX events_of_liquidity ON events (seq) WHERE type IN ('liquidity.low', 'liquidity.restored');

CREATE TABLE webhooks (
  id          uuid PRIMARY KEY,
  url         text NOT NULL,
  -- The Standard Webhooks secret, encrypted.
  sealed_secret bytea NOT NULL,
  -- Empty: all.
  types       jsonb NOT NULL DEFAULT '[]',
  created_at  bigint NOT NULL,
  -- Events after this one are delivered.
  after_seq   bigint NOT NULL,
  -- Deliveries have been made out for all events up to this one.
  planned_seq bigint NOT NULL,
  -- It has just failed, and is left alone until then.
  not_before  bigint NOT NULL DEFAULT 0,
  disabled_at bigint
);
CREATE TABLE deliveries (
  webhook         uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
  event           bigint NOT NULL REFERENCES events (seq),
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at bigint NOT NULL,
  last_error      text,
  delivered_at    bigint,
  -- Given up; an operator can have it delivered again.
  dead_at         bigint,
  PRIMARY KEY (webhook, event)
);
CREATE INDEX deliveries_due ON deliveries (webhook, event) INCLUDE (next_attempt_at)
  WHERE delivered_at IS NULL AND dead_at IS NULL;
CREATE INDEX deliveries_dead ON deliveries (dead_at) WHERE dead_at IS NOT NULL;

CREATE TABLE api_keys (
  id         text PRIMARY KEY,
  -- SHA-256 of the secret, which has 256 random bits.
  hash       bytea NOT NULL,
  label      text NOT NULL,
  scopes     jsonb NOT NULL,
  -- Requests a minute.
  rate_limit integer NOT NULL CHECK (rate_limit > 0),
  created_at bigint NOT NULL,
  expires_at bigint,
  revoked_at bigint
);

CREATE TABLE audit_log (
  seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     bigint NOT NULL,
  -- API key id, or the operating system's user at the command line.
  actor  text NOT NULL,
  action text NOT NULL,
  subject text,
  outcome text NOT NULL,
  data   jsonb NOT NULL DEFAULT '{}'
);
