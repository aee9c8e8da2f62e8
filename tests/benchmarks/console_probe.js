/** Runs in a page before its own scripts and notes what its reader sees. Times are milliseconds. */
window.probe = {
  /** Since the navigation began. */
  largestPaint: 0,
  /** The sum of all shifts that followed no input. */
  layoutShift: 0,
  /** Browsers list tasks from 50 ms on. */
  longestTask: 0,

  /** Gives once the next frame has been drawn. */
  frameDrawn() {
    return new Promise((resolve) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now());
      port2.postMessage(null);
    }));
  },

  /** Begins to wait for a click; `ticked` gives the time from it to the frame with the fit drawn anew. */
  watchTick() {
    const canvas = document.querySelector("#chart-fit canvas");
    const before = Chart.getChart(canvas).data;
    this.ticked = new Promise((resolve) => {
      let clickedAt = 0;
      addEventListener("click", (event) => { clickedAt = event.timeStamp; }, { capture: true, once: true });
      const watching = {
        id: "bench",
        afterDraw: async (chart) => {
          if (!clickedAt || chart.canvas !== canvas || chart.data === before) return;
          Chart.unregister(watching);
          resolve(await this.frameDrawn() - clickedAt);
        },
      };
      Chart.register(watching);
    });
  },

  /** Draws so many hours of two lines with the page's own module; gives the time until the frame with them. */
  async drawHours(count) {
    const module = document.querySelector("script[type=module]").src;
    const { newFigure } = await import(new URL("charts.js", module));
    const figure = newFigure("Energy");
    document.querySelector("main").prepend(figure.root);
    const points = (phase) => Array.from({ length: count }, (_, hour) => (
      [Date.UTC(2025, 0, 1, hour), 100 + 40 * Math.sin(hour / 4 + phase) + 20 * Math.sin(hour * hour)]
    ));
    const series = [
      { label: "Actual", colour: "actual", points: points(0) },
      { label: "Expected", colour: "expected", dash: true, points: points(1) },
    ];
    await this.frameDrawn();
    const startedAt = performance.now();
    figure.draw({
      series, x: { title: "Hour", zone: "Europe/Berlin" }, y: { title: "Energy", unit: "kWh", zero: true }, summary: "A year",
    });
    const took = await this.frameDrawn() - startedAt;
    figure.remove();
    return took;
  },
};

const observe = (type, note) => (
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true })
);
observe("largest-contentful-paint", ({ startTime }) => { probe.largestPaint = startTime; });
observe("layout-shift", ({ value, hadRecentInput }) => { probe.layoutShift += hadRecentInput ? 0 : value; });
observe("longtask", ({ duration }) => { probe.longestTask = Math.max(probe.longestTask, duration); });
