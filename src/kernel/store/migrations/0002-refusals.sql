-- Submissions that were refused for good. What was refused is never accepted: not by another process that has the same
-- submission at the same moment, nor when it is sent again.
CREATE TABLE refusals (
  uetr        uuid NOT NULL,
  -- As in `transfers`: another content under the same UETR is another submission.
  content_mac bytea NOT NULL,
  refusal     jsonb NOT NULL,
  refused_at  bigint NOT NULL,
  PRIMARY KEY (uetr, content_mac)
);
CREATE INDEX refusals_by_age ON refusals (refused_at);

-- The lock that refusing and storing a submission share: a sixteenth of all UETRs each.
CREATE FUNCTION refusal_lock(uetr uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT hashtextextended(current_schema() || '.refusals ' || left(uetr::text, 1), 0)
$$;

-- Which of the submissions that are about to be stored have been refused. Until the end of the transaction nobody can
-- refuse any of them. A function of its own, so that the refusals are read after the locks are held.
CREATE FUNCTION refused_among(submissions jsonb) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(lock) FROM (
    SELECT DISTINCT refusal_lock(s.uetr) AS lock FROM jsonb_to_recordset(submissions) AS s(uetr uuid)
  ) AS locks;
  RETURN QUERY
    SELECT r.uetr FROM refusals r
    JOIN jsonb_to_recordset(submissions) AS s(uetr uuid, mac text)
      ON r.uetr = s.uetr AND r.content_mac = decode(s.mac, 'base64');
END
$$;
