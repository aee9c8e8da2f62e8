// The page loads Chart.js as a plain script, which makes one global of it.
import ChartJs from "chart.js/auto";

declare global {
  // A `const` would be no property of `window`.
  var Chart: typeof ChartJs;
}
