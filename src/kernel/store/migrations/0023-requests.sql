-- What customers here have asked to be paid by customers of other partners.
CREATE TABLE requests (
  id           uuid PRIMARY KEY,
  currency     text NOT NULL,
  -- Minor units; null where the payer says how much.
  amount       numeric(39) CHECK (amount > 0),
  -- Whether it can be paid once only.
  is_single    boolean NOT NULL,
  -- Whom it pays, and what for; null once erased.
  sealed       bytea,
  created_at   bigint NOT NULL,
  -- Null for never.
  expires_at   bigint,
  cancelled_at bigint
);
CREATE INDEX requests_by_age ON requests (created_at) WHERE sealed IS NOT NULL;

-- Transfers that this partner has promised to credit for a request. One whose batch has ended without a settlement pays
-- nothing.
CREATE TABLE request_payments (
  uetr    uuid PRIMARY KEY,
  seq     bigint GENERATED ALWAYS AS IDENTITY,
  request uuid NOT NULL,
  batch   bytea NOT NULL,
  amount  numeric(39) NOT NULL
);
CREATE INDEX request_payments_of ON request_payments (request, seq);
