-- Which registry a batch was signed for, or opened in. None where it was the ledger's first one, which all were in before
-- there was a second: that one never changes, see store_identity.
ALTER TABLE batches ADD COLUMN registry bytea;
ALTER TABLE ledger_batches ADD COLUMN registry bytea;
ALTER TABLE payloads ADD COLUMN registry bytea;

-- Registries after the first, from when the relay's configuration has named them on. Only the watcher writes here.
CREATE TABLE ledger_registries (
  address    bytea PRIMARY KEY,
  -- Blocks from here to the cursor have been read without it, and are yet to be; none once it is read with all others.
  next_block bigint
);
