-- Whose this database is: written at the first start, and compared at every other one.
CREATE TABLE store_identity (
  only_one  boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  partner   integer NOT NULL,
  chain_id  numeric(78) NOT NULL,
  -- The hash of the chain's first block, where the node had it.
  genesis   bytea,
  -- Their addresses, by name.
  contracts jsonb NOT NULL,
  -- Opens with a key that opens what is sealed here, and with no other; resealed with everything else.
  sealed_check bytea NOT NULL,
  adopted_at bigint NOT NULL
);

-- Bytes 2 to 5 of what is sealed name the key. In the order of their numbers, so that it costs little to add to.
CREATE INDEX transfers_by_seal_key ON transfers (substring(sealed FROM 2 FOR 4), seq) WHERE sealed IS NOT NULL;
CREATE INDEX payloads_by_seal_key ON payloads (substring(sealed FROM 2 FOR 4), batch) WHERE sealed IS NOT NULL;
