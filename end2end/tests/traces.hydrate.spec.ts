import { Collector, type Span, treeOf } from '../fixtures/collector.ts';
import { expect, test as base } from '../fixtures/test.ts';
import { SettlementsPage } from '../pages/dashboard.ts';

const test = base.extend<object, { collector: Collector }>({
  collector: [
    async ({}, use) => {
      const collector = await Collector.start();
      await use(collector);
      collector.stop();
    },
    { scope: 'worker' },
  ],
  settings: [
    async ({ collector }, use) => use({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }),
    { scope: 'worker' },
  ],
});

test('one trace goes from a POST to the page that shows what came of it', async ({ page, operator, tidewatch, collector }, info) => {
  const settlements = new SettlementsPage(page);
  await settlements.open();
  await settlements.isLive();
  const { id } = await tidewatch.create('TRACED');
  await expect(settlements.row(id)).toHaveAttribute('data-status', 'created');
  await expect.poll(() => collector.traceOf('POST /api/v1/settlements').map((span) => span.name)).toContain('browser receive');

  const spans = collector.traceOf('POST /api/v1/settlements');
  const begun = BigInt(spans.find((span) => span.parentSpanId === '')?.startTimeUnixNano ?? 0);
  const ms = (nanos: bigint) => (Number(nanos) / 1e6).toFixed(1);
  const timed = ({ name, startTimeUnixNano, endTimeUnixNano }: Span) =>
    `${name}  ${ms(BigInt(startTimeUnixNano) - begun)} ms + ${ms(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano))} ms`;
  await info.attach('the trace', { body: treeOf(spans, timed).join('\n') });
  if (process.env.TIDEWATCH_SHOW_TRACE) console.log(treeOf(spans, timed).join('\n'));
  expect(treeOf(spans)).toEqual([
    'POST /api/v1/settlements',
    '  transaction',
    '    record settlement.created',
    '      publish settlement.created',
    '        deliver settlement.created',
    '          browser receive',
  ]);
  // Each stands below its parent: none is left over.
  expect(treeOf(spans)).toHaveLength(spans.length);
});
