-- What a target tells of its credits at once is of transfers that follow each other, credited at the same moment: a row for
-- them, by the range of their `seq` as in `batch_ranges`, and not a row and an entry by UETR for each. Ranges do not
-- overlap: who writes them has the batch's row locked.
CREATE TABLE confirmed_runs (
  first_seq   bigint PRIMARY KEY,
  last_seq    bigint NOT NULL,
  credited_at bigint NOT NULL,
  CHECK (first_seq <= last_seq)
);
INSERT INTO confirmed_runs (first_seq, last_seq, credited_at)
SELECT min(seq), max(seq), credited_at
FROM (SELECT t.seq, c.credited_at, t.seq - row_number() OVER (PARTITION BY c.credited_at ORDER BY t.seq) AS run
      FROM confirmations c JOIN transfers t ON t.uetr = c.uetr) AS told
GROUP BY credited_at, run ORDER BY 1;
DROP TABLE confirmations;
ALTER TABLE confirmed_runs RENAME TO confirmations;
ALTER INDEX confirmed_runs_pkey RENAME TO confirmations_pkey;
