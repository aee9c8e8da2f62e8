/** What of the charts needs no page. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { driverAxis } from "../../functions/ui/static/charts.js";

test("an axis has the driver's name and unit", () => {
  assert.deepEqual(driverAxis("outdoor_temp_c", "°C"), { title: "Outdoor temperature", unit: "°C" });
});
