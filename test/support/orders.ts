/** What the API tells of a day on which nobody ordered anything. */
export const NO_ORDERS = {
  orders: 0,
  credited: 0,
  recovered: 0,
  uncredited: 0,
  rejected: 0,
  expired: 0,
  failed: 0,
  cancelled: 0,
  refused: 0,
  retried: 0,
  open: 0,
  unpaid: [],
};
