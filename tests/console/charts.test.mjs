/** What of the charts needs no page. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { driverAxis, pathOf } from "../../functions/ui/static/charts.js";

test("a line has gaps where there is no value", () => {
  assert.equal(pathOf([0, 10, null, 5], 10), "M0.00 39.00L33.33 1.00M100.00 20.00");
});

test("a single value is a point on the left", () => {
  assert.equal(pathOf([1], 2), "M0.00 20.00");
});

test("an axis has the driver's name and unit", () => {
  assert.deepEqual(driverAxis("outdoor_temp_c", "°C"), { title: "Outdoor temperature", unit: "°C" });
});
