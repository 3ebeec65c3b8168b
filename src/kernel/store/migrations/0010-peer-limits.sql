-- How often somebody has looked payees up: in this minute and on this day, counted since the epoch.
CREATE TABLE lookup_usage (
  -- "partner:5" for another partner's relay, "key:…" for an API key of this one's.
  asker     text PRIMARY KEY,
  minute    bigint NOT NULL,
  in_minute integer NOT NULL,
  day       bigint NOT NULL,
  in_day    integer NOT NULL
);

-- Payloads whose batch the ledger is not known to have: a source can have so many here, and no more. Those of batches that
-- have been read meanwhile are found when they are counted.
ALTER TABLE payloads ADD COLUMN unopened boolean NOT NULL DEFAULT true;
CREATE INDEX payloads_unopened ON payloads (source) WHERE unopened;
