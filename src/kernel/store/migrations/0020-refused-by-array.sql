-- As the one by JSON, which the release before this one uses: which of the submissions that are about to be stored have
-- been refused. Until the end of the transaction nobody can refuse any of them.
CREATE FUNCTION refused_among(uetrs uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(refusal_lock(one.uetr)) FROM (
    SELECT DISTINCT ON (left(u.uetr::text, 1)) u.uetr FROM unnest(uetrs) AS u(uetr)
  ) AS one;
  RETURN QUERY SELECT r.uetr FROM refusals r WHERE r.uetr = ANY (uetrs);
END
$$;
