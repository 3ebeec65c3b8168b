-- Of a batch, the credit that is due first; and whether any is left.
DROP INDEX credits_due;
CREATE INDEX credits_unposted ON credits (batch, next_attempt_at) WHERE credited_at IS NULL;
-- Which payloads are old enough to be erased.
CREATE INDEX payloads_by_age ON payloads (received_at) WHERE sealed IS NOT NULL;
-- Quotes of the last day, and those that stand, among all that there ever were.
CREATE INDEX provider_quotes_by_receipt ON provider_quotes (received_at);
CREATE INDEX provider_quotes_by_validity ON provider_quotes (valid_until_s);
-- By a number of its own, so that no other index is taken for it; see waiting-transfers.ts.
DROP INDEX transfers_waiting;
CREATE INDEX transfers_waiting ON transfers (target, source_currency, target_currency, provider_quote, (seq + 0))
  WHERE batch IS NULL AND ended IS NULL;
