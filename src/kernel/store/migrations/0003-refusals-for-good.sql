-- A refusal stands for its UETR, whatever the content, and for ever: a customer who has heard of it has the money back.
DELETE FROM refusals r USING refusals earlier
  WHERE earlier.uetr = r.uetr AND (earlier.refused_at, earlier.content_mac) < (r.refused_at, r.content_mac);
-- Until now another content could be accepted after a refusal. What is stored is what the UETR stands for.
DELETE FROM refusals r WHERE EXISTS (SELECT FROM transfers t WHERE t.uetr = r.uetr);
DROP INDEX refusals_by_age;
ALTER TABLE refusals DROP CONSTRAINT refusals_pkey;
ALTER TABLE refusals DROP COLUMN content_mac;
ALTER TABLE refusals ADD PRIMARY KEY (uetr);

-- As before, but for the content.
CREATE OR REPLACE FUNCTION refused_among(submissions jsonb) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(lock) FROM (
    SELECT DISTINCT refusal_lock(s.uetr) AS lock FROM jsonb_to_recordset(submissions) AS s(uetr uuid)
  ) AS locks;
  RETURN QUERY
    SELECT r.uetr FROM refusals r JOIN jsonb_to_recordset(submissions) AS s(uetr uuid) ON r.uetr = s.uetr;
END
$$;
