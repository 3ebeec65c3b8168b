-- What changes of a transfer is kept beside it, so that its row, which is long, is not written again when it goes into a
-- batch; see docs/adr/0049-what-waits-and-what-batches-have.md.

-- The transfers that wait for a batch, and nothing else: each comes with its row in `transfers`, and goes when it is put
-- into a batch or ends. What is here is what they are grouped by and what they need.
CREATE TABLE waiting (
  seq             bigint PRIMARY KEY,
  target          integer NOT NULL,
  source_currency text NOT NULL,
  target_currency text NOT NULL,
  provider_quote  bytea,
  -- With the fee.
  source_minor    numeric(39) NOT NULL,
  target_minor    numeric(39) NOT NULL
);
-- By a number of its own, so that no other index is taken for it; see waiting-transfers.ts.
CREATE INDEX waiting_by_group ON waiting (target, source_currency, target_currency, provider_quote, (seq + 0));

-- Which transfers a batch has, by ranges of their `seq`: every number of a range is a transfer of the batch. Those of a
-- batch that is void stay in it where they failed with it.
CREATE TABLE batch_ranges (
  first_seq bigint PRIMARY KEY,
  last_seq  bigint NOT NULL,
  batch     bytea NOT NULL,
  CHECK (first_seq <= last_seq)
);
CREATE INDEX batch_ranges_of_batch ON batch_ranges (batch);

-- No transfer is in two batches. An exclusion constraint would say the same, but where ranges are short its index takes ten
-- times as long as all the rest.
CREATE FUNCTION refuse_overlaps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM entered e WHERE e.first_seq <=
        (SELECT b.last_seq FROM batch_ranges b WHERE b.first_seq < e.first_seq ORDER BY b.first_seq DESC LIMIT 1)
      OR e.last_seq >=
        (SELECT b.first_seq FROM batch_ranges b WHERE b.first_seq > e.first_seq ORDER BY b.first_seq LIMIT 1))
  THEN
    RAISE EXCEPTION 'a transfer would be in two batches' USING ERRCODE = 'exclusion_violation';
  END IF;
  RETURN NULL;
END
$$;

DROP TRIGGER transfers_inserted ON transfers;
DROP TRIGGER transfers_updated ON transfers;
DROP TRIGGER transfers_deleted ON transfers;
DROP FUNCTION count_waiting_in(), count_waiting_out(), count_waiting_on();

INSERT INTO waiting (seq, target, source_currency, target_currency, provider_quote, source_minor, target_minor)
SELECT seq, target, source_currency, target_currency, provider_quote, source_amount + fee, target_amount
FROM transfers WHERE batch IS NULL AND ended IS NULL ORDER BY seq;

INSERT INTO batch_ranges (first_seq, last_seq, batch)
SELECT min(seq), max(seq), batch
FROM (SELECT seq, batch, seq - row_number() OVER (PARTITION BY batch ORDER BY seq) AS run
      FROM transfers WHERE batch IS NOT NULL) AS t
GROUP BY batch, run ORDER BY 1;

-- With it its two indexes, and the check that no transfer is cancelled in a batch: what is cancelled was waiting.
ALTER TABLE transfers DROP COLUMN batch;

CREATE TRIGGER batch_ranges_inserted AFTER INSERT ON batch_ranges
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION refuse_overlaps();

-- The sums of what waits, which stand as they are, are kept by what becomes of its rows here.
CREATE FUNCTION count_waiting_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, count(*), sum(source_minor), sum(target_minor))::quote_sums
    FROM entered GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE FUNCTION count_waiting_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, -count(*), -sum(source_minor), -sum(target_minor))
      ::quote_sums
    FROM gone GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE FUNCTION count_waiting_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM add_waiting(ARRAY(
    SELECT (source_currency, target_currency, provider_quote, sum(sign), sum(sign * source_minor),
      sum(sign * target_minor))::quote_sums
    FROM (
      SELECT 1 AS sign, source_currency, target_currency, provider_quote, source_minor, target_minor FROM entered
      UNION ALL
      SELECT -1, source_currency, target_currency, provider_quote, source_minor, target_minor FROM gone) AS moved
    GROUP BY source_currency, target_currency, provider_quote));
  RETURN NULL;
END
$$;

CREATE TRIGGER waiting_inserted AFTER INSERT ON waiting
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_in();
CREATE TRIGGER waiting_updated AFTER UPDATE ON waiting
  REFERENCING OLD TABLE AS gone NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_on();
CREATE TRIGGER waiting_deleted AFTER DELETE ON waiting
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION count_waiting_out();
