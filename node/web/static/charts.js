/* Charts: every figure.chart carries its data as JSON and a table that says the same in words.

   {"labels": [Unix seconds or names], "time": true|false, "kind": "line"|"bars"|"steps",
    "series": [{"name": "…", "values": [..]}]} */
(() => {
  "use strict";
  const colours = ["#006173", "#c74700", "#5c10be", "#115a36"];
  const ink = "#51626b";

  const paths = (kind) => {
    if (kind === "bars") return uPlot.paths.bars({ size: [0.6, 48], radius: 0.15 });
    if (kind === "steps") return uPlot.paths.stepped({ align: 1 });
    return undefined;
  };

  const draw = (figure) => {
    const given = JSON.parse(figure.dataset.chart);
    const place = figure.querySelector(".chart-canvas");
    const at = given.time ? given.labels : given.labels.map((_, index) => index);
    const language = document.documentElement.lang;
    const day = new Intl.DateTimeFormat(language, {
      month: "numeric",
      day: "numeric",
      timeZone: "Asia/Tokyo",
    });
    const name = (value) =>
      given.time ? day.format(new Date(value * 1000)) : (given.labels[value] ?? "");
    const options = {
      width: place.clientWidth,
      height: 240,
      legend: { show: given.series.length > 1, live: false },
      cursor: { y: false },
      scales: {
        x: { time: false, range: given.time ? undefined : [-0.6, at.length - 0.4] },
        y: { range: (_, low, high) => [Math.min(0, low), Math.max(1, high * 1.1)] },
      },
      axes: [
        {
          stroke: ink,
          grid: { show: false },
          ticks: { show: false },
          values: (_, marks) =>
            marks.map((mark) => (Number.isInteger(mark) || given.time ? name(mark) : "")),
        },
        {
          stroke: ink,
          grid: { stroke: "#e6edef", width: 1 },
          ticks: { show: false },
          size: 56,
          values: (_, marks) =>
            marks.map((mark) => (Number.isInteger(mark) ? mark.toLocaleString(language) : "")),
        },
      ],
      series: [{ value: (_, value) => (value == null ? "" : name(value)) }].concat(
        given.series.map((one, index) => ({
          label: one.name,
          stroke: colours[index % colours.length],
          width: 2,
          fill:
            given.kind === "bars"
              ? colours[index % colours.length]
              : colours[index % colours.length] + "14",
          points: { show: given.kind === "line" && at.length < 40 },
          paths: paths(given.kind),
        })),
      ),
    };
    place.replaceChildren();
    const plot = new uPlot(options, [at, ...given.series.map((one) => one.values)], place);
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 240 })).observe(
      place,
    );
  };

  const start = () => {
    for (const figure of document.querySelectorAll("figure.chart[data-chart]")) draw(figure);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
