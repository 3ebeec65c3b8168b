-- What providers have on the ledger of the currencies that they sell to this relay, in minor units. `changed_block` is
-- the last block that the watcher has seen something move it in: behind `block`, it is to be read again.
CREATE TABLE provider_funds (
  provider      integer NOT NULL,
  currency      text NOT NULL,
  available     numeric(39) NOT NULL,
  block         bigint NOT NULL,
  changed_block bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (provider, currency)
);

-- Providers that could not deliver what they had quoted. Until its time is over, one is passed over; a failure after
-- that lasts longer, unless there has been none for long.
CREATE TABLE provider_failures (
  provider        integer NOT NULL,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  failures        integer NOT NULL,
  -- The ledger's name for it.
  reason          text NOT NULL,
  failed_at       bigint NOT NULL,
  passed_over_until bigint NOT NULL,
  PRIMARY KEY (provider, source_currency, target_currency)
);

-- Why the ledger did not open a batch, where that was its provider's fault: once the batch is void, its transfers go
-- into another one.
ALTER TABLE batches ADD COLUMN provider_fault text;
-- How often that has happened to a transfer.
ALTER TABLE transfers ADD COLUMN requeued integer NOT NULL DEFAULT 0;
