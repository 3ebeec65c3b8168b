-- A reconciliation goes through all payments of requests in their order.
CREATE UNIQUE INDEX request_payments_in_order ON request_payments (seq);
