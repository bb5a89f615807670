/** Development: one seed of a server alone. */
import { checkConfig, parseProperties } from '../../../src/server/config.ts';
import { Ensemble } from './ensemble.ts';
import { standalone } from './program.ts';
import { EnsembleWorkload } from './workload.ts';

async function one(seed: number): Promise<void> {
  const began = performance.now();
  using ensemble = new Ensemble({
    seed,
    servers: [1],
    tickMs: 200,
    boot: standalone,
    config: () => ({
      ...checkConfig(
        parseProperties(
          'dataDir=/data\ndataLogDir=/log\nclientPort=2181\ntickTime=200\nsnapCount=40\nautopurge.purgeInterval=1s',
          'zoo.cfg',
        ),
      ),
      preAllocBytes: 8192,
    }),
  });
  if (process.env.SHOW) ensemble.trace.onLine = (line) => console.log(line);
  ensemble.start();
  const load = new EnsembleWorkload(ensemble, { clients: 4, timeoutMs: 2000, thinkMs: 10, lanes: 3, mostBytes: 2000 });
  const prepared = load.prepare();
  let ready = false;
  prepared.then(() => {
    ready = true;
  });
  await ensemble.scheduler.runUntil(() => ready);
  load.start();
  for (let i = 0; i < 10 && ensemble.verdicts.clean; i++) {
    await ensemble.run(2000);
    const m = ensemble.member(1);
    m.crash(i % 2 === 0);
    await ensemble.run(300);
    m.start();
  }
  await ensemble.run(3000);
  let over = false;
  load.stop().then(() => {
    over = true;
  });
  await ensemble.scheduler.runUntil(() => over);
  ensemble.compare(ensemble.member(1));
  load.judge();
  const { counts } = ensemble.border;
  const took = performance.now() - began;
  console.log(
    seed,
    ensemble.trace.hash,
    ensemble.trace.events,
    load.counts,
    counts,
    'moments',
    ensemble.oracle.state.now,
    Math.round(took),
    'ms',
    Math.round((load.operations / took) * 1000),
    'op/s',
    ((took / ensemble.trace.events) * 1000).toFixed(1),
    'us/ev',
  );
  for (const v of ensemble.verdicts.violations.slice(0, 3)) console.log(v);
}
for (const seed of process.argv.slice(2).map(Number)) await one(seed);
