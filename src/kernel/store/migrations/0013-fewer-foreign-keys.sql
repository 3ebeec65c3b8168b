-- Of rows that there are as many of as of transfers: each was checked one by one, with a lock on the row that it names.
-- Whoever writes them has read or written that row in the same transaction, and no such row is ever deleted; see
-- docs/adr/0038-no-foreign-keys-per-transfer.md.
ALTER TABLE transfers DROP CONSTRAINT transfers_provider_quote_fkey, DROP CONSTRAINT transfers_batch_fkey;
ALTER TABLE quotes DROP CONSTRAINT quotes_provider_quote_fkey;
ALTER TABLE confirmations DROP CONSTRAINT confirmations_uetr_fkey;
ALTER TABLE credits DROP CONSTRAINT credits_batch_fkey;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_event_fkey, DROP CONSTRAINT deliveries_webhook_fkey;
