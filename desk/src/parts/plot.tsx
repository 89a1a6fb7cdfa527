import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';

import type { PerDay } from '../reports';
import { day, shortDay } from '../time';

const HEIGHT = 170;
const FONT = '12px system-ui, sans-serif';
/** Between two lines of a scale: values are whole numbers. */
const STEPS = Array.from({ length: 19 }, (_, zeros) =>
  [1, 2, 5].map((step) => step * 10 ** zeros),
).flat();
const DAYS = [1, 2, 7, 14, 28];

interface Props {
  /** What one would see: a picture says nothing to a screen reader. */
  readonly label: string;
  readonly days: readonly string[];
  readonly values: PerDay;
  /** A value in full. */
  readonly long: (value: number) => string;
  /** A value beside the scale. */
  readonly short: (value: number) => string;
  /** What the scale leaves room for: plots with the same have their days in the same places. */
  readonly room: readonly string[];
}

/** A bar for each day. A day without a report is gray from top to bottom. */
export function Plot({ label, days, values, long, short, room }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  // What the plot reads whenever it is drawn: it is made once, and its values come day by day.
  const scaled = useRef(room);
  scaled.current = room;
  const [pointed, setPointed] = useState<number | null | undefined>(null);
  useEffect(() => {
    const parent = element.current;
    if (!parent) return undefined;
    const axis: uPlot.Axis = {
      font: FONT,
      stroke: () => color('--soft-ink'),
      grid: { stroke: () => color('--line'), width: 1 },
      ticks: { show: false },
    };
    const made = new uPlot(
      {
        width: parent.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
        scales: {
          x: { time: false, range: [-0.5, days.length - 0.5] },
          y: { range: (_, _least, most) => [0, Math.max(1, most * 1.05)] },
        },
        series: [
          {},
          {
            fill: () => color('--accent'),
            paths: uPlot.paths.bars!({ size: [0.75, 48] }),
            points: { show: false },
          },
        ],
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 24,
            space: 56,
            incrs: DAYS,
            values: (_, places) => places.map((place) => dayAt(days, place)),
          },
          {
            ...axis,
            space: 20,
            incrs: STEPS,
            size: (drawn, texts) => widthOf(drawn, [...scaled.current, ...(texts ?? [])]),
            values: (_, numbers) => numbers.map(short),
          },
        ],
        hooks: {
          drawClear: [shade],
          setCursor: [(drawn) => setPointed(drawn.cursor.idx)],
        },
      },
      dataOf(days, values),
      parent,
    );
    plot.current = made;
    const fit = new ResizeObserver(() => {
      made.setSize({ width: parent.clientWidth, height: HEIGHT });
    });
    fit.observe(parent);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const repaint = () => made.redraw(false);
    dark.addEventListener('change', repaint);
    return () => {
      dark.removeEventListener('change', repaint);
      fit.disconnect();
      made.destroy();
    };
  }, [days]);
  useEffect(() => plot.current?.setData(dataOf(days, values)), [days, values]);
  const date = days[pointed ?? -1];
  const value = values[pointed ?? -1];
  return (
    <>
      <div ref={element} role="img" aria-label={label} class="plot" />
      <p class="pointed small" aria-hidden="true">
        {date && value != null && `${day(date)}: ${long(value)}`}
      </p>
    </>
  );
}

function dataOf(days: readonly string[], values: PerDay): uPlot.AlignedData {
  return [days.map((_, index) => index), [...values]];
}

/** Of the style sheet, which knows whether it is dark. */
function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

function dayAt(days: readonly string[], place: number): string {
  const date = days[place];
  return date === undefined ? '' : shortDay(date);
}

/** Of the scale: as wide as its widest text. */
function widthOf(plot: uPlot, texts: readonly string[]): number {
  plot.ctx.font = FONT;
  return Math.ceil(Math.max(...texts.map((text) => plot.ctx.measureText(text).width))) + 14;
}

function shade(plot: uPlot): void {
  const { ctx, bbox, data } = plot;
  ctx.fillStyle = color('--line');
  data[1]?.forEach((value, index) => {
    if (value !== null) return;
    const [left, right] = [index - 0.5, index + 0.5].map((place) =>
      plot.valToPos(place, 'x', true),
    );
    ctx.fillRect(left!, bbox.top, right! - left!, bbox.height);
  });
}
