// Writes what of deploy/relay/chart is made from the code. A test holds the committed files to it.
//
//   node scripts/chart.ts
import { writeChart } from "./lib/chart.ts";

await writeChart();
