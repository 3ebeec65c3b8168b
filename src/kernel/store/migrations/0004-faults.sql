-- What an item's last attempt failed on, beside how often it was tried and when it is due again.
ALTER TABLE batches ADD COLUMN payload_error text;
ALTER TABLE payloads ADD COLUMN last_error text;
ALTER TABLE decisions ADD COLUMN settle_error text, ADD COLUMN confirm_error text;
ALTER TABLE webhooks
  -- Nothing got through to it: what has failed there is left alone until then, what is new is not.
  ADD COLUMN retry_not_before bigint NOT NULL DEFAULT 0,
  -- How often it could not even be sent to, one time after the other, and why.
  ADD COLUMN fault_attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN last_error text;

-- New deliveries and those that have failed are looked for apart.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_new ON deliveries (webhook, event) INCLUDE (next_attempt_at)
  WHERE delivered_at IS NULL AND dead_at IS NULL AND attempts = 0;
CREATE INDEX deliveries_failed ON deliveries (webhook, next_attempt_at)
  WHERE delivered_at IS NULL AND dead_at IS NULL AND attempts > 0;

-- The same for what a step works on that has no row with a place for it: a corridor's transfers, an overdue batch, a
-- currency. Gone once the step has done its work on it.
CREATE TABLE step_faults (
  step       text NOT NULL,
  item       text NOT NULL,
  attempts   integer NOT NULL,
  due_at     bigint NOT NULL,
  last_error text NOT NULL,
  PRIMARY KEY (step, item)
);

-- Written to see that the database can be written to.
CREATE TABLE write_check (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  at       bigint NOT NULL
);

-- Times of credits were taken as wallets and other relays told them, up to such as no calendar has. From before there
-- was a network, or from after they were told, they are when they were told.
UPDATE confirmations c SET credited_at = e.at FROM events e
WHERE e.uetr = c.uetr AND e.type = 'transfer.credited'
  AND (c.credited_at < 1577836800000 OR c.credited_at > e.at + 86400000);
UPDATE credits c SET credited_at = e.at FROM events e
WHERE e.uetr = c.uetr AND e.type = 'credit.posted'
  AND (c.credited_at < 1577836800000 OR c.credited_at > e.at + 86400000);
UPDATE events SET data = jsonb_set(data, '{creditedAt}',
  to_jsonb(to_char(to_timestamp(at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
WHERE type IN ('transfer.credited', 'credit.posted')
  AND (data->>'creditedAt' COLLATE "C" < '2020'
    OR data->>'creditedAt' COLLATE "C" > to_char(to_timestamp(at / 1000.0 + 86400) AT TIME ZONE 'UTC', 'YYYY-MM-DD'));
