-- A batch is written down before its target's relay is asked about it, and signed once that has answered. Until then it has
-- no signature, and nobody can open it.
ALTER TABLE batches ALTER COLUMN send_signature DROP NOT NULL;
-- The target's {validUntil, key, signature}, with which it opens and settles in one step. None where it takes two.
ALTER TABLE batches ADD COLUMN acceptance jsonb;
CREATE INDEX batches_proposed ON batches (signed_at) WHERE send_signature IS NULL;

-- A batch that was accepted before it is opened is decided without a signature for `settle`: that is made only where it
-- is opened in two steps. Until this time of the ledger's blocks, in seconds, the decision is a promise, which lapses
-- where the ledger does not have the batch by then; none once that is certain.
ALTER TABLE decisions ALTER COLUMN signature DROP NOT NULL;
ALTER TABLE decisions ADD COLUMN promised_until_s bigint;
CREATE INDEX decisions_promised ON decisions (promised_until_s) WHERE promised_until_s IS NOT NULL;
-- Whether it came for a batch that is signed; one that came to be accepted only goes with its promise.
ALTER TABLE payloads ADD COLUMN delivered boolean NOT NULL DEFAULT true;

-- What this relay has answered to batches that others proposed: the same proposal has the same answer.
CREATE TABLE answered_proposals (
  batch      bytea PRIMARY KEY,
  source     integer NOT NULL,
  transfers  integer NOT NULL,
  -- [{uetr, reason}]; where there is none, it was accepted.
  rejections jsonb NOT NULL,
  -- Seconds of block time.
  accepted_until_s bigint NOT NULL,
  answered_at bigint NOT NULL,
  -- Its batch is known to have settled: what was checked for it was paid for.
  paid       boolean NOT NULL DEFAULT false
);
CREATE INDEX answered_proposals_by_age ON answered_proposals (answered_at);
CREATE INDEX answered_proposals_unpaid ON answered_proposals (source) WHERE NOT paid;
-- How many transfers were checked for a source partner in this minute, counted since the epoch, less those that have settled.
CREATE TABLE proposal_usage (
  source    integer PRIMARY KEY,
  minute    bigint NOT NULL,
  transfers integer NOT NULL
);
