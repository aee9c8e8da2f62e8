/** What of the charts needs no page. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { driverAxis, withGaps } from "../../functions/ui/static/charts.js";

const HOUR = 3_600_000;

test("an axis has the driver's name and unit", () => {
  assert.deepEqual(driverAxis("outdoor_temp_c", "°C"), { title: "Outdoor temperature", unit: "°C" });
});

test("a line breaks where readings are missing, and not on the day with 25 hours", () => {
  assert.deepEqual(withGaps([[0, 1], [HOUR, 2], [4 * HOUR, 3]], HOUR), [[0, 1], [HOUR, 2], [2 * HOUR, null], [4 * HOUR, 3]]);
  assert.deepEqual(withGaps([[0, 1], [25 * HOUR, 2]], 24 * HOUR), [[0, 1], [25 * HOUR, 2]]);
  assert.deepEqual(withGaps([], HOUR), []);
});
