// Reads the demo's result, one JSON object, from standard input and fails unless every transfer was settled,
// rejected, failed or expired and nothing is unaccounted for.
import { text } from "node:stream/consumers";

const line = await text(process.stdin);
const { transfers, settled, rejected, failed, expired, unaccounted } = JSON.parse(line);
const whole = settled + rejected + failed + expired;

if (String(unaccounted) !== "0" || !(transfers > 0) || whole !== transfers) {
  console.error(
    `the demo does not add up: ${transfers} transfers, ${whole} with an outcome, unaccounted ${unaccounted}`,
  );
  process.exitCode = 1;
}
