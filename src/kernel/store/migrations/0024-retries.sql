-- Which attempt of an order another one is of: both are transfers, or refusals. An attempt is tried again once, by a later
-- one that is stored or refused for good; so the attempts of an order are one chain.
CREATE TABLE retries (
  -- UETR of the attempt that was not paid.
  earlier uuid PRIMARY KEY,
  later   uuid NOT NULL UNIQUE,
  -- When the later one was accepted or refused. Milliseconds.
  at      bigint NOT NULL
);

-- 'recovered' are those of 'credited' that were not an order's first attempt. 'retried' are attempts that were counted as
-- not paid, and tried again while their day's figures could change: their order is counted where its last attempt is.
ALTER TABLE order_sums DROP CONSTRAINT order_sums_outcome_check;
ALTER TABLE order_sums ADD CONSTRAINT order_sums_outcome_check
  CHECK (outcome IN ('credited', 'recovered', 'failed', 'cancelled', 'refused', 'retried'));

-- Where an attempt that was not paid is counted; no row where it is not.
CREATE FUNCTION attempt_counted_at(attempt uuid) RETURNS TABLE (day integer, target integer) LANGUAGE sql STABLE AS $$
  SELECT (f.refused_at / 86400000)::integer, 0 FROM refusals f WHERE f.uetr = $1
  UNION ALL
  SELECT CASE WHEN t.ended IS NOT NULL THEN t.ended_at / 86400000
    WHEN l.id IS NOT NULL THEN l.opened_time_s / 86400 ELSE b.voided_at / 86400000 END::integer, t.target
  FROM transfers t
    LEFT JOIN LATERAL (
      SELECT nearest.batch FROM (
        SELECT batch, last_seq FROM batch_ranges WHERE first_seq <= t.seq ORDER BY first_seq DESC LIMIT 1) AS nearest
      WHERE nearest.last_seq >= t.seq) AS r ON true
    LEFT JOIN batches b ON b.id = r.batch LEFT JOIN ledger_batches l ON l.id = r.batch
  WHERE t.uetr = $1 AND (t.ended IS NOT NULL OR l.final_time_s / 86400 <= l.opened_time_s / 86400 + 2
    OR (l.id IS NULL AND b.voided_at IS NOT NULL))
$$;

CREATE FUNCTION count_retried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_sums AS s
  SELECT a.day, a.target, 'retried', '', count(*)
  FROM entered e, attempt_counted_at(e.earlier) AS a
  WHERE e.at / 86400000 <= a.day + 2
  GROUP BY 1, 2 ORDER BY 1, 2
  ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
  RETURN NULL;
END
$$;
CREATE TRIGGER retries_inserted AFTER INSERT ON retries
  REFERENCING NEW TABLE AS entered FOR EACH STATEMENT EXECUTE FUNCTION count_retried();

-- As before, but for what is refused because the attempt that it names cannot be tried again: that order is counted already.
CREATE OR REPLACE FUNCTION count_refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_sums AS s
  SELECT (e.refused_at / 86400000)::integer, 0, 'refused', coalesce(e.refusal->>'code', ''), count(*)
  FROM entered e
  WHERE e.refusal->>'code' IS DISTINCT FROM 'not-retryable'
  GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
  RETURN NULL;
END
$$;

-- Transfers of batches that could never be opened have failed, too, and were in no sum until now. They are counted at the
-- transaction's end: only then those have left the batch that are given another one.
CREATE FUNCTION count_voided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_sums AS s
  SELECT (NEW.voided_at / 86400000)::integer, NEW.target, 'failed', 'AB03', sum(r.last_seq - r.first_seq + 1)
  FROM batch_ranges r WHERE r.batch = NEW.id HAVING count(*) > 0
  ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER batches_voided AFTER UPDATE ON batches DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.voided_at IS NULL AND NEW.voided_at IS NOT NULL) EXECUTE FUNCTION count_voided();

INSERT INTO order_sums AS s
SELECT (b.voided_at / 86400000)::integer, b.target, 'failed', 'AB03', sum(r.last_seq - r.first_seq + 1)
FROM batches b JOIN batch_ranges r ON r.batch = b.id
WHERE b.voided_at IS NOT NULL GROUP BY 1, 2
ON CONFLICT (day, target, outcome, reason) DO UPDATE SET orders = s.orders + excluded.orders;
