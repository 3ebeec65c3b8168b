-- Until when, in seconds of ledger time, the batch of a payload can be opened; null where that is not known. Until then
-- the payload is needed, whether the ledger has heard of the batch or not.
ALTER TABLE payloads ADD COLUMN expires_at_s bigint;
-- No ledger holds money for more than a day, and its time is never ahead of its blocks.
UPDATE payloads SET expires_at_s =
  greatest(received_at / 1000, coalesce((SELECT block_time_s FROM ledger_cursor), 0)) + 2 * 86400;

-- Which of the processes on this database does a work that one of them has to do. Whoever takes a lease over raises its
-- epoch: what belongs to an earlier one is not to take effect any more. Times are the database's own.
CREATE TABLE leases (
  name       text PRIMARY KEY,
  epoch      bigint NOT NULL DEFAULT 0,
  -- For people to read: which process has it.
  holder     text,
  expires_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- Finds the alarms about signatures of this partner's that this relay has not made.
CREATE INDEX events_of_unknown_signatures ON events (at) WHERE type = 'signature.unknown';
