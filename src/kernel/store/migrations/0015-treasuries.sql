-- Money lies in a treasury, of which a ledger may have several. What was read before did not say in which: the watcher,
-- and whoever prices, read it again.
DELETE FROM balances;
ALTER TABLE balances
  ADD COLUMN treasury bytea NOT NULL,
  DROP CONSTRAINT balances_pkey,
  ADD PRIMARY KEY (treasury, currency);

DELETE FROM provider_funds;
ALTER TABLE provider_funds
  ADD COLUMN treasury bytea NOT NULL,
  DROP CONSTRAINT provider_funds_pkey,
  ADD PRIMARY KEY (treasury, provider, currency);
